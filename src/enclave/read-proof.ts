import { type Cbor, encode } from '../protocol/cbor.ts';
import type { RequestMessage } from '../protocol/messages.ts';
import { type ReadClaims, type ReadProof, readProofVersion } from '../protocol/read-proof.ts';
import { signPayload } from './cose.ts';
import { sha256 } from './ledger/hash.ts';
import type { Ledger } from './ledger/ledger.ts';
import { headKey } from './ledger/merkle-map.ts';

/** What an answer was made from: the organization (16 bytes) and the digest of its head. */
export type ReadState = { readonly organization: Buffer; readonly head: Buffer };

/**
 * Proves that the answer `body` was made from the current state. Undefined when the organization has changed since: then the
 * query is to be answered anew.
 */
export async function proveRead(
  ledger: Ledger,
  { name, body: request }: Pick<RequestMessage, 'name' | 'body'>,
  { organization, head }: ReadState,
  body: Uint8Array,
): Promise<Buffer | undefined> {
  const key = headKey(organization);
  const { value, bucket, path, state } = await ledger.prove(key);
  if (value === undefined || !head.equals(value)) return undefined;
  const claims: ReadClaims = {
    v: readProofVersion,
    query: name,
    request: sha256(request),
    answer: sha256(body),
    organization,
    head,
    map: state.mapRoot,
    time: state.time,
  };
  const { identity } = ledger;
  const cose = signPayload(identity, ledger.logKey, encode(claims as unknown as Cbor));
  const { checkpoint } = state;
  const proof: ReadProof = { v: readProofVersion, cose, bucket, path, checkpoint, statement: identity.statement };
  return encode(proof as unknown as Cbor);
}
