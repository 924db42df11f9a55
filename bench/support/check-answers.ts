/** What an answer to `sign_raw_payload` must be: every one is looked at, a sample is verified as Ethereum would. */
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { addressOf } from '../../src/decode/address.ts';
import type { Exchange } from './closed-loop.ts';
import type { StampedRequest } from './stamped-requests.ts';

type Answer = { activity: { status: string; result: { signRawPayloadResult: { r: string; s: string; v: string } } } };

/** Throws unless `exchange` is a completed activity with a signature. */
export function checkShape({ status, body }: Exchange): void {
  const complete = ['"ACTIVITY_STATUS_COMPLETED"', '"r":"', '"s":"', '"v":"'].every((part) => body.includes(part));
  if (status !== 200 || !complete) throw new Error(`unexpected answer ${status}: ${body.slice(0, 500)}`);
}

/** Throws unless the signature recovers to `address` over the payload that was asked for. */
export function checkSignature({ body }: Exchange, { payload }: StampedRequest, address: string): void {
  const { r, s, v } = (JSON.parse(body) as Answer).activity.result.signRawPayloadResult;
  const publicKey = secp256k1.recoverPublicKey(Buffer.from(v + r + s, 'hex'), payload, { prehash: false });
  const found = addressOf('ADDRESS_FORMAT_ETHEREUM', 'CURVE_SECP256K1', Buffer.from(publicKey).toString('hex'));
  if (found !== address) throw new Error(`the signature is of ${found}, expected ${address}`);
}
