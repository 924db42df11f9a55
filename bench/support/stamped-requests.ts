/** Stamped `sign_raw_payload` requests as bytes on the wire, made before the clock runs. */
import { randomBytes, randomInt } from 'node:crypto';
import type { SoftwareAuthenticator } from '../../src/stamping/software-authenticator.ts';

export type Signer = {
  readonly authenticator: SoftwareAuthenticator;
  readonly organizationId: string;
  /** Ethereum address of its account. */
  readonly address: string;
};

export type StampedRequest<S = Signer> = { readonly signer: S; readonly payload: Buffer; readonly bytes: Buffer };

/** `count` requests of signers taken at random; each signs 32 random bytes, which makes its body a new one. */
export function stampRequests<S extends Signer>(signers: readonly S[], count: number): StampedRequest<S>[] {
  return Array.from({ length: count }, () => {
    const signer = signers[randomInt(signers.length)] as S;
    const payload = randomBytes(32);
    return { signer, payload, bytes: stampRequest(signer, payload) };
  });
}

function stampRequest({ authenticator, organizationId, address }: Signer, payload: Buffer): Buffer {
  const body = JSON.stringify({
    type: 'ACTIVITY_TYPE_SIGN_RAW_PAYLOAD_V2',
    timestampMs: String(Date.now()),
    organizationId,
    parameters: {
      signWith: address,
      payload: payload.toString('hex'),
      encoding: 'PAYLOAD_ENCODING_HEXADECIMAL',
      hashFunction: 'HASH_FUNCTION_NO_OP',
    },
  });
  const stamp = authenticator.stamp(body);
  const head = [
    'POST /public/v1/submit/sign_raw_payload HTTP/1.1',
    'Host: localhost',
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
    `${stamp.header}: ${stamp.value}`,
  ];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`);
}
