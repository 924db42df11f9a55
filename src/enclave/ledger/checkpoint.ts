/**
 * A checkpoint binds the log's root and the map's root under one signature: a C2SP tlog-checkpoint whose extension lines
 * name the map, the batch, the epoch, the settings that decide and the enclave, signed as a C2SP signed note (Ed25519).
 */
import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { sha256 } from './hash.ts';

export type Checkpoint = {
  size: number;
  logRoot: Uint8Array;
  mapRoot: Uint8Array;
  batch: number;
  epoch: number;
  /** SHA-256 of the enclave's settings (origins, RP ids, limits). */
  settings: Uint8Array;
  /** Boot id of the enclave that signs. */
  enclave: Uint8Array;
};

export type CheckpointSigner = {
  /** The log's name, which is the key's name in the note. */
  readonly origin: string;
  /** `<origin>+<key id>+<type ‖ public key>`, as verifiers of signed notes take it. */
  readonly verifierKey: string;
  sign(checkpoint: Checkpoint): string;
};

const ed25519Type = 0x01;
const pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex');

export function createCheckpointSigner(seed: KeyObject): CheckpointSigner {
  const encoded = Buffer.concat([pkcs8Prefix, seed.export()]);
  const key = createPrivateKey({ key: encoded, format: 'der', type: 'pkcs8' });
  encoded.fill(0);
  const publicKey = rawPublicKey(key);
  const origin = `countersign/${sha256(publicKey).toString('hex', 0, 8)}`;
  const typed = Buffer.concat([Buffer.of(ed25519Type), publicKey]);
  const keyId = sha256(Buffer.concat([Buffer.from(`${origin}\n`), typed])).subarray(0, 4);
  return {
    origin,
    verifierKey: `${origin}+${keyId.toString('hex')}+${typed.toString('base64')}`,
    sign(checkpoint) {
      const text = checkpointText(origin, checkpoint);
      const signature = Buffer.concat([keyId, sign(null, Buffer.from(text), key)]);
      return `${text}\n\u2014 ${origin} ${signature.toString('base64')}\n`;
    },
  };
}

function checkpointText(origin: string, checkpoint: Checkpoint): string {
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
  const lines = [
    origin,
    `${checkpoint.size}`,
    base64(checkpoint.logRoot),
    `map ${base64(checkpoint.mapRoot)}`,
    `batch ${checkpoint.batch} epoch ${checkpoint.epoch}`,
    `settings ${base64(checkpoint.settings)}`,
    `enclave ${base64(checkpoint.enclave)}`,
  ];
  return `${lines.join('\n')}\n`;
}

const rawPublicKey = (key: KeyObject): Buffer =>
  createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32);
