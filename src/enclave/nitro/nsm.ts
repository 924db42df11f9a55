/**
 * The Nitro Security Module, behind a bridge. It is a device that is spoken to by ioctl(2), which Node cannot do, so a small
 * program passes messages on from a Unix socket: both ways length (4 bytes, big endian) ‖ CBOR, one answer to one request.
 * The CBOR is that of aws-nitro-enclaves-nsm-api, "externally tagged" maps.
 */
import { createConnection } from 'node:net';
import { type Cbor, decode, encode } from '../../protocol/cbor.ts';

export class NsmError extends Error {
  override name = 'NsmError';
}

/** Sizes of the device's buffers. */
const largestRequest = 0x1000;
const largestResponse = 0x3000;
const patienceMs = 10_000;

export type AttestationRequest = {
  /** Up to 1024 bytes each; the public key is DER SPKI. */
  readonly userData?: Uint8Array;
  readonly nonce?: Uint8Array;
  readonly publicKey?: Uint8Array;
};

/** An attestation document: COSE_Sign1 by a key that AWS certifies for this enclave. Throws an `NsmError`. */
export async function attest(socket: string, { userData, nonce, publicKey }: AttestationRequest): Promise<Buffer> {
  const request = { user_data: userData ?? null, nonce: nonce ?? null, public_key: publicKey ?? null };
  const answer = await ask(socket, { Attestation: request });
  const document = memberOf(memberOf(answer, 'Attestation'), 'document');
  if (document instanceof Uint8Array && document.length > 0) return Buffer.from(document);
  throw new NsmError('the security module answered without an attestation document');
}

async function ask(socket: string, request: Cbor): Promise<Cbor> {
  const bytes = encode(request);
  if (bytes.length > largestRequest) throw new NsmError('the request is larger than the security module takes');
  const answer = parse(await exchange(socket, bytes));
  const error = memberOf(answer, 'Error');
  if (error !== undefined)
    throw new NsmError(
      `the security module refuses: ${typeof error === 'string' ? error.slice(0, 40) : 'without a reason'}`,
    );
  return answer;
}

function parse(bytes: Buffer): Cbor {
  try {
    return decode(bytes);
  } catch (error) {
    throw new NsmError(`the security module's answer cannot be read: ${(error as Error).message}`);
  }
}

const memberOf = (value: Cbor | undefined, name: string): Cbor | undefined =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as { readonly [name: string]: Cbor })[name]
    : undefined;

function exchange(path: string, request: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path);
    const fail = (what: string) => {
      socket.destroy();
      reject(new NsmError(`the bridge to the security module at ${path} ${what}`));
    };
    let received = Buffer.alloc(0);
    socket.setTimeout(patienceMs, () => fail('does not answer'));
    socket.on('error', (error: NodeJS.ErrnoException) => fail(`cannot be used (${error.code ?? error.message})`));
    socket.on('end', () => fail('hung up'));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 4) return;
      const size = received.readUInt32BE();
      if (size > largestResponse || received.length > 4 + size) return fail('broke its protocol');
      if (received.length < 4 + size) return;
      socket.destroy();
      resolve(received.subarray(4));
    });
    const length = Buffer.alloc(4);
    length.writeUInt32BE(request.length);
    socket.write(Buffer.concat([length, request]));
  });
}
