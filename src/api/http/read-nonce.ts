import { invalidArgument } from '../../protocol/errors.ts';

const maxBytes = 64;

/** Bytes of the query's `nonce`, none where there is no such; throws for what is not hex of up to 64 bytes. */
export function readNonce(nonce: string | string[] | undefined): Buffer {
  if (nonce === undefined) return Buffer.alloc(0);
  if (typeof nonce === 'string' && /^(?:[0-9a-fA-F]{2})+$/.test(nonce) && nonce.length <= 2 * maxBytes) {
    return Buffer.from(nonce, 'hex');
  }
  throw invalidArgument(`nonce: expected hex of 1 to ${maxBytes} bytes`);
}
