/**
 * A backup file: a line of magic, a line of JSON with the salt, and the content in chunks of AES-256-GCM whose associated
 * data are the two lines, the chunk's number and whether it is the last. The key comes from a passphrase; a file without
 * secrets has one that everybody knows, so that damage is noticed all the same.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { codeOf, OperatorError } from '../operator-error.ts';
import { keyOfPassphrase } from '../passphrase.ts';

const magic = 'countersign-backup/1';
const openKey = createHash('sha256').update(`${magic} without a passphrase`).digest();
const chunkSize = 1024 * 1024;
const tagSize = 16;

export type BackupWriter = { write(bytes: Uint8Array): void; finish(): void; discard(): void };

/** Makes a new file of mode 0600; `passphrase` null: nothing in it is secret. */
export function createBackupFile(path: string, passphrase: string | null): BackupWriter {
  const file = create(path);
  const salt = randomBytes(16);
  const head = Buffer.from(
    `${magic}\n${JSON.stringify({ salt: passphrase === null ? null : salt.toString('hex') })}\n`,
  );
  const key = passphrase === null ? openKey : keyOfPassphrase(passphrase, salt);
  let waiting: Buffer[] = [];
  let size = 0;
  let index = 0;
  writeAll(file, head);
  const seal = (isLast: boolean) => {
    const content = Buffer.concat(waiting);
    const cipher = createCipheriv('aes-256-gcm', key, nonceOf(index)).setAAD(associated(head, index, isLast));
    const sealed = Buffer.concat([cipher.update(content), cipher.final(), cipher.getAuthTag()]);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(sealed.length);
    writeAll(file, Buffer.concat([length, sealed]));
    waiting = [];
    size = 0;
    index++;
  };
  return {
    write(bytes) {
      waiting.push(Buffer.from(bytes));
      size += bytes.length;
      if (size >= chunkSize) seal(false);
    },
    finish() {
      seal(true);
      fsyncSync(file);
      closeSync(file);
    },
    discard() {
      closeSync(file);
      rmSync(path, { force: true });
    },
  };
}

export type BackupFile = { readonly isSecret: boolean; chunks(passphrase: string | null): Generator<Buffer> };

/** Looks at the head of a backup file. Its chunks can be read several times; they throw an `OperatorError` for an altered file. */
export function openBackupFile(path: string): BackupFile {
  const head = readHead(path);
  const { salt } = JSON.parse(head.toString().split('\n')[1] as string) as { salt: string | null };
  return {
    isSecret: salt !== null,
    *chunks(passphrase) {
      const key = salt === null ? openKey : keyOfPassphrase(passphrase ?? '', Buffer.from(salt, 'hex'));
      const file = openSync(path, 'r');
      try {
        let at = head.length;
        for (let index = 0, isLast = false; !isLast; index++) {
          const sealed = readChunk(file, path, at);
          at += 4 + sealed.length;
          isLast = readAt(file, at, 1).length === 0;
          yield open(sealed, key, head, index, isLast, path);
        }
      } finally {
        closeSync(file);
      }
    },
  };
}

function open(sealed: Buffer, key: Buffer, head: Buffer, index: number, isLast: boolean, path: string): Buffer {
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, nonceOf(index)).setAAD(associated(head, index, isLast));
    decipher.setAuthTag(sealed.subarray(-tagSize));
    return Buffer.concat([decipher.update(sealed.subarray(0, -tagSize)), decipher.final()]);
  } catch {
    const why =
      index === 0 ? 'the passphrase is wrong, or the file was altered' : `it was altered or cut short at part ${index}`;
    throw new OperatorError(`${path} cannot be opened: ${why}`);
  }
}

function readHead(path: string): Buffer {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    throw new OperatorError(`${path} cannot be read (${codeOf(error)})`);
  }
  const start = readAt(file, 0, 200).toString('latin1');
  closeSync(file);
  const match = /^countersign-backup\/1\n\{"salt":(null|"[0-9a-f]{32}")\}\n/.exec(start);
  if (!match) throw new OperatorError(`${path} is not a backup of this version: it does not begin with ${magic}`);
  return Buffer.from(match[0]);
}

function readChunk(file: number, path: string, at: number): Buffer {
  const length = readAt(file, at, 4);
  const size = length.length === 4 ? length.readUInt32BE() : 0;
  const sealed = size >= tagSize && size <= 64 * chunkSize ? readAt(file, at + 4, size) : Buffer.alloc(0);
  if (size === 0 || sealed.length !== size) throw new OperatorError(`${path} was altered or cut short`);
  return sealed;
}

function readAt(file: number, position: number, size: number): Buffer {
  const bytes = Buffer.alloc(size);
  let read = 0;
  for (;;) {
    const more = readSync(file, bytes, read, size - read, position + read);
    read += more;
    if (more === 0 || read === size) return bytes.subarray(0, read);
  }
}

function create(path: string): number {
  try {
    return openSync(path, 'wx', 0o600);
  } catch (error) {
    throw new OperatorError(
      `--out: expected a file that can be made and is not there yet, got ${path} (${codeOf(error)})`,
    );
  }
}

function writeAll(file: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
}

function nonceOf(index: number): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUIntBE(index, 6, 6);
  return nonce;
}

const associated = (head: Buffer, index: number, isLast: boolean): Buffer =>
  Buffer.concat([head, nonceOf(index), Buffer.of(Number(isLast))]);
