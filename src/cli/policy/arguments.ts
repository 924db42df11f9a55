import { parseArgs } from 'node:util';
import { OperatorError } from '../operator-error.ts';

/** The one file that a command is about. Throws `OperatorError` with the command's help. */
export function fileArgument(args: readonly string[], help: string): string {
  const { positionals } = parseArgs({ args: [...args], options: {}, allowPositionals: true });
  const [file, ...others] = positionals;
  if (file === undefined || others.length > 0) throw new OperatorError(help);
  return file;
}

export const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};
