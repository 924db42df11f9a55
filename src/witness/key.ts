/** The key of a witness and its cosignatures (C2SP tlog-cosignature, cosignature/v1 with Ed25519). */
import { createHash, createPublicKey, type KeyObject, sign } from 'node:crypto';

export type WitnessKey = {
  readonly name: string;
  /** `<name>+<key id>+<type ‖ public key>`, for the policies of logs. */
  readonly verifierKey: string;
  /** A signature line for the text of a checkpoint. `time`: Unix seconds. */
  cosign(text: string, time: number): string;
};

const cosignatureType = 0x04;

export function witnessKey(name: string, privateKey: KeyObject): WitnessKey {
  const publicKey = createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(-32);
  const typed = Buffer.concat([Buffer.of(cosignatureType), publicKey]);
  const id = createHash('sha256').update(`${name}\n`).update(typed).digest().subarray(0, 4);
  return {
    name,
    verifierKey: `${name}+${id.toString('hex')}+${typed.toString('base64')}`,
    cosign(text, time) {
      const stamp = Buffer.alloc(8);
      stamp.writeBigUInt64BE(BigInt(time));
      const signature = sign(null, Buffer.from(`cosignature/v1\ntime ${time}\n${text}`), privateKey);
      return `\u2014 ${name} ${Buffer.concat([id, stamp, signature]).toString('base64')}\n`;
    },
  };
}
