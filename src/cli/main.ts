/** The `countersign` command. */
import { OperatorError } from './operator-error.ts';
import { readSettings, type Settings, settingsHelp } from './settings.ts';

type Command = {
  readonly summary: string;
  /** Of the command, or of what `args` name of it. */
  readonly help: (args: readonly string[]) => Promise<string>;
  /** Loads its code only when it is run: `start` is to be ready soon. */
  readonly run: (settings: Settings, args: readonly string[]) => unknown;
};

const starting = (usage: string) => async () =>
  `usage: countersign ${usage}\n\nSettings, from the environment (default in brackets):\n${settingsHelp()}`;

const start: Command['run'] = async (settings, args) => {
  if (args.length) {
    throw new OperatorError(`expected no arguments, got ${args.join(' ')}; settings are environment variables`);
  }
  return (await import('./start.ts')).start(settings);
};

const commands: Readonly<Record<string, Command>> = {
  start: {
    summary: 'runs the service: database, enclave and api (or one part: COUNTERSIGN_MODE)',
    help: starting('start'),
    run: start,
  },
  api: {
    summary: 'runs api alone, connected to COUNTERSIGN_ENCLAVE_SOCKET',
    help: starting('api'),
    run: start,
  },
  enclave: {
    summary: 'runs the enclave alone, listening on COUNTERSIGN_ENCLAVE_SOCKET',
    help: starting('enclave'),
    run: start,
  },
  demo: {
    summary: 'does the main job step by step, and starts a service for it when none runs',
    help: async () =>
      'usage: countersign demo\n\nUses the service that runs on COUNTERSIGN_DATA_DIR, or starts one of its own for as long as it takes.',
    run: async (settings) => (await import('./demo.ts')).demo(settings),
  },
  root: {
    summary: 'makes further parent organizations, rotates the root API key, adds admins',
    help: async () => (await import('./root.ts')).rootHelp,
    run: async (settings, args) => (await import('./root.ts')).root(settings, args),
  },
  policy: {
    summary: 'checks, tests, explains and replays policies',
    help: async (args) => (await import('./policy.ts')).policyHelp(args),
    run: async (settings, args) => (await import('./policy.ts')).policy(settings, args),
  },
  witness: {
    summary: 'cosigns the logs of others, so that none of them can be taken back',
    help: async () => (await import('./witness.ts')).witnessHelp,
    run: async (_, args) => (await import('./witness.ts')).witness(args),
  },
  measure: {
    summary: "prints the measurement of the enclave's code",
    help: async () => (await import('./measure.ts')).measureHelp,
    run: async (_, args) => (await import('./measure.ts')).measure(args),
  },
  seal: {
    summary: 'says how the root key is sealed, and moves it from one provider to another',
    help: async () => (await import('./seal.ts')).sealHelp,
    run: async (settings, args) => (await import('./seal.ts')).seal(settings, args),
  },
  vm: {
    summary: 'builds the image of the microVM that the enclave can run in',
    help: async () => (await import('./vm.ts')).vmHelp,
    run: async (_, args) => (await import('./vm.ts')).vm(args),
  },
  ceremony: {
    summary: 'holds the root key in shares of several people',
    help: async () => (await import('./ceremony.ts')).ceremonyHelp,
    run: async (settings, args) => (await import('./ceremony.ts')).ceremony(settings, args),
  },
  verify: {
    summary: 'says of a receipt, step by step, whether it proves what it says',
    help: async () => (await import('./verify.ts')).verifyHelp,
    run: async (_, args) => (await import('./verify.ts')).verify(args),
  },
  monitor: {
    summary: 'follows a log and notices when it is not what it was',
    help: async () => (await import('./monitor.ts')).monitorHelp,
    run: async (_, args) => (await import('./monitor.ts')).monitor(args),
  },
  backup: {
    summary: 'writes database, enclave folder and root.json to one file',
    help: async () => (await import('./backup.ts')).backupHelp,
    run: async (settings, args) => (await import('./backup.ts')).backup(settings, args),
  },
  restore: {
    summary: 'takes such a file back into an empty data directory',
    help: async () => (await import('./restore.ts')).restoreHelp,
    run: async (settings, args) => (await import('./restore.ts')).restore(settings, args),
  },
  'accept-state': {
    summary: 'goes on from a restored database, deliberately',
    help: async () => (await import('./accept-state.ts')).acceptStateHelp,
    run: async (settings, args) => (await import('./accept-state.ts')).acceptState(settings, args),
  },
};

function generalHelp(): string {
  const lines = Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(14)}${summary}`);
  return [
    'usage: countersign <command> [arguments]',
    '',
    ...lines,
    '',
    'countersign <command> --help says more about each.',
    '',
    'Settings, from the environment (default in brackets):',
    settingsHelp(),
  ].join('\n');
}

const asksForHelp = (word: string | undefined) => word === '--help' || word === '-h' || word === 'help';

async function main([name, ...args]: readonly string[]): Promise<void> {
  if (name === undefined || asksForHelp(name)) return print(generalHelp());
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!command) throw new OperatorError(`there is no command ${JSON.stringify(name)}\n\n${generalHelp()}`);
  if (args.some(asksForHelp)) return print(await command.help(args));
  // `api` and `enclave` name their mode themselves.
  const environment = name === 'api' || name === 'enclave' ? { ...process.env, COUNTERSIGN_MODE: name } : process.env;
  await command.run(readSettings(environment), args);
}

const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

try {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < 24) throw new OperatorError(`Node 24 is needed, this is ${process.version}; run bin/countersign.mjs`);
  await main(process.argv.slice(2));
} catch (error) {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  // Errors of parseArgs are about what was typed.
  const expected = error instanceof OperatorError || code.startsWith('ERR_PARSE_ARGS');
  process.stderr.write(`countersign: ${expected ? (error as Error).message : (error as Error).stack}\n`);
  process.exitCode = 1;
}
