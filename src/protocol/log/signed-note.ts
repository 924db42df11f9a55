/**
 * Signed notes (C2SP signed-note): text, an empty line, and signatures of which everybody verifies those of the keys that they
 * know. Ed25519 alone: signatures over the text (type 0x01) and cosignatures with a time (type 0x04, C2SP tlog-cosignature).
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { base64 } from '@scure/base';
import { equalBytes } from './tree.ts';

/** The note or the key is not what it should be; `message` says what. */
export class NoteError extends Error {
  override name = 'NoteError';
}

export type VerifierKey = {
  readonly name: string;
  /** The first 4 bytes of SHA-256(name ‖ LF ‖ type ‖ public key). */
  readonly id: Uint8Array;
  readonly type: typeof note | typeof cosignature;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
};

export type NoteSignature = { readonly name: string; readonly id: Uint8Array; readonly signature: Uint8Array };

export type Note = {
  /** What is signed: lines, each with its line feed. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
};

/** A known key that signed. `time`: Unix seconds that a cosignature names. */
export type Signer = { readonly key: VerifierKey; readonly time?: number };

export const note = 0x01;
export const cosignature = 0x04;
const maxNote = 1_000_000;
const maxSignatures = 100;

/** `<name>+<key id in hex>+<base64 of type ‖ public key>`. Throws a `NoteError`. */
export function parseVerifierKey(text: string): VerifierKey {
  const [, name = '', id = '', encoded = ''] = /^([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/.exec(text) ?? [];
  const typed = decode(encoded);
  const type = typed?.[0];
  if (!name || !typed) throw new NoteError(`${JSON.stringify(text)} is no verifier key: expected name+id+base64`);
  if ((type !== note && type !== cosignature) || typed.length !== 33) {
    throw new NoteError(`the verifier key of ${name} is not an Ed25519 key (type 1 or 4)`);
  }
  const digest = sha256(concatBytes(utf8ToBytes(`${name}\n`), typed)).subarray(0, 4);
  if (bytesToHex(digest) !== id) throw new NoteError(`the verifier key of ${name} has another id than it says`);
  return { name, id: digest, type, publicKey: typed.subarray(1) };
}

/** Text and signatures of a note, none of them verified. Throws a `NoteError`. */
export function parseNote(text: string): Note {
  const end = text.lastIndexOf('\n\n');
  if (text.length > maxNote || end === -1 || !text.isWellFormed()) throw new NoteError('it is no signed note');
  if (hasControls(text)) throw new NoteError('a signed note has no control characters');
  const lines = text.slice(end + 2).split('\n');
  if (lines.pop() !== '' || lines.length === 0) throw new NoteError('the last line of a signed note is a signature');
  if (lines.length > maxSignatures) throw new NoteError(`a signed note has at most ${maxSignatures} signatures`);
  return { text: text.slice(0, end + 1), signatures: lines.map(parseSignature) };
}

/** Those of ASCII below space, of which line feeds alone may be in a note. */
function hasControls(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 0x20 && code !== 0x0a) return true;
  }
  return false;
}

function parseSignature(line: string): NoteSignature {
  const [, name = '', encoded = ''] = /^\u2014 ([^+\s]+) ([A-Za-z0-9+/=]+)$/.exec(line) ?? [];
  const blob = decode(encoded);
  if (!blob || blob.length < 5) throw new NoteError(`${JSON.stringify(line)} is no signature of a note`);
  return { name, id: blob.subarray(0, 4), signature: blob.subarray(4) };
}

/**
 * Who of `keys` signed the note. Signatures of others are ignored; a bad one of a known key rejects the note as a whole, as does
 * that none of the keys signed it. Throws a `NoteError`.
 */
export async function verifyNote({ text, signatures }: Note, keys: readonly VerifierKey[]): Promise<Signer[]> {
  const signers: Signer[] = [];
  for (const { name, id, signature } of signatures) {
    const key = keys.find((known) => known.name === name && equalBytes(known.id, id));
    if (!key) continue;
    const signed = signedBy(key, text, signature);
    if (!signed || !(await verifyEd25519(key.publicKey, signed.signature, signed.message))) {
      throw new NoteError(`the signature of ${name} is wrong`);
    }
    signers.push({ key, ...(signed.time !== undefined && { time: signed.time }) });
  }
  if (signers.length === 0) throw new NoteError(`it is not signed by ${keys.map(({ name }) => name).join(' or ')}`);
  return signers;
}

type Signed = { readonly message: Uint8Array; readonly signature: Uint8Array; readonly time?: number };

function signedBy({ type }: VerifierKey, text: string, signature: Uint8Array): Signed | undefined {
  if (type === note) return { message: utf8ToBytes(text), signature };
  if (signature.length !== 72) return undefined;
  const time = signature.subarray(0, 8).reduce((value, byte) => value * 256 + byte, 0);
  return { message: utf8ToBytes(`cosignature/v1\ntime ${time}\n${text}`), signature: signature.subarray(8), time };
}

/** WebCrypto: the same in Node, browsers and edge runtimes. False also for what is no key or no signature. */
export async function verifyEd25519(
  publicKey: Uint8Array,
  signature: Uint8Array,
  message: Uint8Array,
): Promise<boolean> {
  const { subtle } = crypto;
  try {
    const key = await subtle.importKey('raw', new Uint8Array(publicKey), 'Ed25519', false, ['verify']);
    return await subtle.verify('Ed25519', key, new Uint8Array(signature), new Uint8Array(message));
  } catch (error) {
    // Where the runtime has no Ed25519, nothing can be said about the signature.
    if ((error as Error).name === 'NotSupportedError') throw error;
    return false;
  }
}

/** Canonical base64 with padding (RFC 4648 §4), so that no two texts stand for the same bytes. */
function decode(text: string): Uint8Array | undefined {
  try {
    return base64.decode(text);
  } catch {
    return undefined;
  }
}
