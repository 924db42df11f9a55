/** `countersign policy`: tools for those who write policies; but for `replay` no service is needed. */

import { FactError } from '../policy/read-facts.ts';
import { OperatorError } from './operator-error.ts';
import type { PolicyCommand } from './policy/command.ts';
import type { Settings } from './settings.ts';

type Named = { readonly summary: string; readonly load: () => Promise<PolicyCommand> };

const commands: Readonly<Record<string, Named>> = {
  analyse: {
    summary: 'compares sets, asks what they can allow, finds policies that make no difference',
    load: async () => (await import('./policy/analyse.ts')).analyseCommand,
  },
  check: {
    summary: 'checks types, bounds and common holes',
    load: async () => (await import('./policy/check.ts')).checkCommand,
  },
  decide: {
    summary: 'decides cases given as facts, one JSON line for each',
    load: async () => (await import('./policy/decide.ts')).decideCommand,
  },
  explain: {
    summary: 'says why cases are decided as they are',
    load: async () => (await import('./policy/explain.ts')).explainCommand,
  },
  facts: {
    summary: 'lists what policies may name, with types',
    load: async () => (await import('./policy/facts.ts')).factsCommand,
  },
  format: {
    summary: 'writes expressions in their canonical form',
    load: async () => (await import('./policy/format.ts')).formatCommand,
  },
  new: {
    summary: 'writes a policy with tests from a template',
    load: async () => (await import('./policy/new.ts')).newCommand,
  },
  replay: {
    summary: 'says what a draft would change about past activities, or about cases',
    load: async () => (await import('./policy/replay.ts')).replayCommand,
  },
  test: {
    summary: 'decides cases and compares with what is expected',
    load: async () => (await import('./policy/test.ts')).testCommand,
  },
};

const generalHelp = [
  'usage: countersign policy <command> [arguments]',
  '',
  ...Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(10)}${summary}`),
  '',
  'countersign policy <command> --help says more about each. docs/policies.md is about policies themselves.',
].join('\n');

/** Of the command that is named, or of all. */
export async function policyHelp([name]: readonly string[]): Promise<string> {
  return (await find(name))?.help ?? generalHelp;
}

/** Throws `OperatorError`. */
export async function policy(settings: Settings, [name, ...args]: readonly string[]): Promise<void> {
  const command = await find(name);
  if (!command) throw new OperatorError(generalHelp);
  try {
    await command.run(args, settings);
  } catch (error) {
    if (error instanceof FactError) throw new OperatorError(error.message);
    throw error;
  }
}

const find = async (name = ''): Promise<PolicyCommand | undefined> =>
  Object.hasOwn(commands, name) ? commands[name]?.load() : undefined;
