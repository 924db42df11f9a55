/** Stamped requests for signatures as bytes on the wire, made before the clock runs. */
import { randomBytes, randomInt } from 'node:crypto';
import type { SoftwareAuthenticator } from '../../src/stamping/software-authenticator.ts';
import { randomOperation } from './random-operation.ts';

export type Signer = {
  readonly authenticator: SoftwareAuthenticator;
  readonly organizationId: string;
  /** Ethereum address of its account. */
  readonly address: string;
};

/** `digest`: 32 random bytes by `sign_raw_payload`; `user_operation`: three batched calls by `sign_user_operation`. */
export type RequestKind = 'digest' | 'user_operation';

export type StampedRequest<S = Signer> = {
  readonly signer: S;
  readonly kind: RequestKind;
  /** What is to be signed: 32 bytes. */
  readonly digest: () => Buffer;
  readonly bytes: Buffer;
};

type Asked = { readonly type: string; readonly parameters: object; readonly digest: () => Buffer };

/** `count` requests of signers taken at random, with `headers` besides; what each signs is random, which makes its body a new one. */
export function stampRequests<S extends Signer>(
  signers: readonly S[],
  count: number,
  kind: RequestKind,
  headers: readonly string[],
): StampedRequest<S>[] {
  return Array.from({ length: count }, () => {
    const signer = signers[randomInt(signers.length)] as S;
    const { digest, ...asked } = kind === 'digest' ? randomDigest(signer) : operation(signer);
    return { signer, kind, digest, bytes: stampRequest(signer, asked, headers) };
  });
}

function randomDigest({ address }: Signer): Asked {
  const payload = randomBytes(32);
  return {
    type: 'ACTIVITY_TYPE_SIGN_RAW_PAYLOAD_V2',
    parameters: {
      signWith: address,
      payload: payload.toString('hex'),
      encoding: 'PAYLOAD_ENCODING_HEXADECIMAL',
      hashFunction: 'HASH_FUNCTION_NO_OP',
    },
    digest: () => payload,
  };
}

const operation = ({ address }: Signer): Asked => ({
  type: 'ACTIVITY_TYPE_SIGN_USER_OPERATION',
  ...randomOperation(address),
});

function stampRequest(
  { authenticator, organizationId }: Signer,
  { type, parameters }: Omit<Asked, 'digest'>,
  headers: readonly string[],
): Buffer {
  const body = JSON.stringify({ type, timestampMs: String(Date.now()), organizationId, parameters });
  const stamp = authenticator.stamp(body);
  const name = type.replace(/^ACTIVITY_TYPE_|_V\d$/g, '').toLowerCase();
  const head = [
    `POST /public/v1/submit/${name} HTTP/1.1`,
    'Host: localhost',
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
    `${stamp.header}: ${stamp.value}`,
    ...headers,
  ];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`);
}
