/** What an answer to a request for a signature must be: every one is looked at, a sample is verified as Ethereum would. */
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { addressOf } from '../../src/decode/address.ts';
import type { Exchange } from './closed-loop.ts';
import type { RequestKind, StampedRequest } from './stamped-requests.ts';

type Answer = {
  activity: {
    result: {
      signRawPayloadResult?: { r: string; s: string; v: string };
      signUserOperationResult?: { signature: string };
    };
  };
};

const members: Readonly<Record<RequestKind, readonly string[]>> = {
  digest: ['"r":"', '"s":"', '"v":"'],
  user_operation: ['"userOpHash":"', '"signature":"', '"callsComplete":'],
};

/** Throws unless `exchange` is a completed activity with a signature. */
export function checkShape({ status, body }: Exchange, kind: RequestKind): void {
  const complete = ['"ACTIVITY_STATUS_COMPLETED"', ...members[kind]].every((part) => body.includes(part));
  if (status !== 200 || !complete) throw new Error(`unexpected answer ${status}: ${body.slice(0, 500)}`);
}

/** Throws unless the signature recovers to `address` over what was to be signed. */
export function checkSignature({ body }: Exchange, { digest }: Pick<StampedRequest, 'digest'>, address: string): void {
  const publicKey = secp256k1.recoverPublicKey(recoverable(JSON.parse(body)), digest(), { prehash: false });
  const found = addressOf('ADDRESS_FORMAT_ETHEREUM', 'CURVE_SECP256K1', Buffer.from(publicKey).toString('hex'));
  if (found !== address) throw new Error(`the signature is of ${found}, expected ${address}`);
}

/** Recovery id (0 or 1) ‖ r ‖ s. */
function recoverable({ activity: { result } }: Answer): Buffer {
  const raw = result.signRawPayloadResult;
  if (raw) return Buffer.from(raw.v + raw.r + raw.s, 'hex');
  const signature = Buffer.from(result.signUserOperationResult?.signature.slice(2) ?? '', 'hex');
  return Buffer.concat([Buffer.of((signature[64] as number) - 27), signature.subarray(0, 64)]);
}
