/** Passphrases: asked for without an echo or read from a file, and the keys that are made from them. */
import { scryptSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { codeOf, OperatorError } from './operator-error.ts';

/** scrypt (RFC 7914): 128 MiB and about half a second a try. */
const cost = { N: 2 ** 17, r: 8, p: 1, maxmem: 256 * 1024 * 1024 };
const leastLength = 12;

export const keyOfPassphrase = (passphrase: string, salt: Uint8Array): Buffer =>
  scryptSync(passphrase.normalize('NFKC'), salt, 32, cost);

/** The passphrase in `file` (its first line; `-` is the standard input), or as typed in the terminal, twice for a new one. */
export async function readPassphrase(what: string, file: string | undefined, isNew: boolean): Promise<string> {
  const passphrase = file === undefined ? await ask(what, isNew) : firstLine(file);
  if (isNew && passphrase.length < leastLength) {
    throw new OperatorError(`the passphrase of ${what}: expected at least ${leastLength} characters`);
  }
  return passphrase;
}

function firstLine(file: string): string {
  try {
    return (readFileSync(file === '-' ? 0 : file, 'utf8').split('\n')[0] ?? '').replace(/\r$/, '');
  } catch (error) {
    throw new OperatorError(`--passphrase-file: ${file} cannot be read (${codeOf(error)})`);
  }
}

async function ask(what: string, isNew: boolean): Promise<string> {
  if (!process.stdin.isTTY) {
    throw new OperatorError(`the passphrase of ${what}: there is no terminal to ask in; add --passphrase-file <file>`);
  }
  const typed = await askSilently(`passphrase of ${what}: `);
  if (isNew && (await askSilently('the same again: ')) !== typed) throw new OperatorError('the two differ');
  return typed;
}

function askSilently(question: string): Promise<string> {
  process.stderr.write(question);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: silent, terminal: true });
  return new Promise((resolve, reject) => {
    lines.on('SIGINT', () => lines.close());
    lines.on('close', () => reject(new OperatorError('stopped')));
    lines.question('', (answer) => {
      resolve(answer);
      lines.close();
      process.stderr.write('\n');
    });
  });
}
