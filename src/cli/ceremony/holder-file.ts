/** A holder's file, mode 0600: the key that shares are sealed to, and the newest manifest that the holder has accepted. */
import { createCipheriv, createDecipheriv, createECDH, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import type { Recipient } from '../../protocol/ceremony/hpke.ts';
import { readJsonIfThere, replaceFile } from '../files.ts';
import { codeOf, OperatorError } from '../operator-error.ts';
import { keyOfPassphrase, readPassphrase } from '../passphrase.ts';

export type Accepted = { readonly nonce: number; readonly hash: string };

type Key =
  | { readonly kind: 'plain'; readonly privateKey: string }
  /** AES-256-GCM by scrypt of a passphrase: nonce ‖ ciphertext ‖ tag, for the public key. */
  | { readonly kind: 'passphrase'; readonly salt: string; readonly sealed: string };

export type HolderFile = {
  readonly version: 1;
  readonly name: string;
  /** Hex of the P-256 point, uncompressed. */
  readonly publicKey: string;
  readonly key: Key;
  readonly accepted: Accepted | null;
};

const curve = 'prime256v1';

/** Makes a new key pair in a new file; with a passphrase the private key is sealed by it. */
export function createHolderFile(path: string, name: string, passphrase: string | undefined): HolderFile {
  const pair = createECDH(curve);
  const publicKey = pair.generateKeys();
  const privateKey = pair.getPrivateKey();
  const key: Key =
    passphrase === undefined
      ? { kind: 'plain', privateKey: privateKey.toString('hex') }
      : sealKey(privateKey, publicKey, passphrase);
  privateKey.fill(0);
  const file: HolderFile = { version: 1, name, publicKey: publicKey.toString('hex'), key, accepted: null };
  try {
    writeFileSync(path, textOf(file), { mode: 0o600, flag: 'wx', flush: true });
  } catch (error) {
    throw new OperatorError(
      `--out: expected a file that can be made and is not there yet, got ${path} (${codeOf(error)})`,
    );
  }
  return file;
}

export function readHolderFile(path: string): HolderFile {
  const file = readJsonIfThere<HolderFile>(path);
  if (!file) throw new OperatorError(`--key: ${path} is not there; make it with \`countersign ceremony holder-key\``);
  if (file.version !== 1 || !/^04[0-9a-f]{128}$/.test(String(file.publicKey)) || !file.key) {
    throw new OperatorError(`--key: ${path} is not a holder's file of this version`);
  }
  return file;
}

export const acceptManifest = (path: string, file: HolderFile, accepted: Accepted): void =>
  replaceFile(path, textOf({ ...file, accepted }));

/** The holder's key, ready to open what was sealed to it; asks for the passphrase where there is one. */
export async function openHolderKey(file: HolderFile, passphraseFile: string | undefined): Promise<Recipient> {
  const publicKey = Buffer.from(file.publicKey, 'hex');
  const pair = createECDH(curve);
  const { key } = file;
  const privateKey =
    key.kind === 'plain'
      ? Buffer.from(key.privateKey, 'hex')
      : openKey(key, publicKey, await readPassphrase(`${file.name}'s key`, passphraseFile, false));
  pair.setPrivateKey(privateKey);
  privateKey.fill(0);
  if (!pair.getPublicKey().equals(publicKey))
    throw new OperatorError("the holder's file is damaged: its keys are no pair");
  return { publicKey, agree: (point) => pair.computeSecret(point) };
}

function sealKey(privateKey: Buffer, publicKey: Buffer, passphrase: string): Key {
  const [salt, nonce] = [randomBytes(16), randomBytes(12)];
  const cipher = createCipheriv('aes-256-gcm', keyOfPassphrase(passphrase, salt), nonce).setAAD(publicKey);
  const sealed = Buffer.concat([nonce, cipher.update(privateKey), cipher.final(), cipher.getAuthTag()]);
  return { kind: 'passphrase', salt: salt.toString('hex'), sealed: sealed.toString('hex') };
}

function openKey(
  { salt, sealed }: Extract<Key, { kind: 'passphrase' }>,
  publicKey: Buffer,
  passphrase: string,
): Buffer {
  const bytes = Buffer.from(sealed, 'hex');
  const key = keyOfPassphrase(passphrase, Buffer.from(salt, 'hex'));
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12)).setAAD(publicKey);
    decipher.setAuthTag(bytes.subarray(-16));
    return Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]);
  } catch {
    throw new OperatorError('the passphrase is wrong, or the file is damaged');
  }
}

const textOf = (file: HolderFile): string => `${JSON.stringify(file, null, 2)}\n`;
