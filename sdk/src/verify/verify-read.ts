/** Verifies the proof that comes with an answer to a query that was asked with `?proof=1` (docs/receipts.md). */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { NoteError, verifyEd25519 } from '../../../src/protocol/log/signed-note.ts';
import { equalBytes } from '../../../src/protocol/log/tree.ts';
import type { ReadClaims } from '../../../src/protocol/read-proof.ts';
import { readCosePayload } from './cose-receipt.ts';
import { readReadClaims, readReadProof } from './read-read-proof.ts';
import { bytesOfReceipt, ReceiptError } from './read-receipt.ts';
import { checkpointStep, enclaveStep, readSignedState, type SignedState, type Trusted } from './signed-state.ts';
import { compare, date, type Step } from './step.ts';

/** What the proof is compared with, as far as it is at hand. */
export type ReadExpectations = Trusted & {
  /** Name of the query, such as `list_users`: a body that does not say it may have been shown with another name. */
  readonly query?: string;
  /** The query's body, exactly as it was stamped. */
  readonly body?: string | Uint8Array;
  /** The answer's body, exactly as it came. */
  readonly answer?: string | Uint8Array;
};

export type ReadVerification = {
  /** No step failed. */
  readonly ok: boolean;
  readonly steps: readonly Step[];
  /** What the proof claims; null where it could not be read. */
  readonly claims: ReadClaims | null;
};

type Read = {
  readonly claims: ReadClaims;
  readonly bucket: Uint8Array;
  readonly path: readonly Uint8Array[];
  readonly signature: Uint8Array;
  readonly message: Uint8Array;
  readonly state: SignedState;
};

const levels = 16;

/**
 * Verifies the proof in the header `X-Countersign-Proof`, as bytes or base64url: that the enclave gave this answer from what
 * was the organization's current state. It never rejects, and fetches nothing.
 */
export async function verifyRead(
  proof: Uint8Array | string,
  expected: ReadExpectations = {},
): Promise<ReadVerification> {
  let read: Read;
  try {
    read = readAll(bytesOfReceipt(proof));
  } catch (error) {
    if (!(error instanceof ReceiptError || error instanceof NoteError)) throw error;
    const step: Step = { name: 'proof', ok: false, words: `this is no proof of a read: ${error.message}` };
    return { ok: false, steps: [step], claims: null };
  }
  const { claims, state } = read;
  const steps = [
    requestStep(claims, expected),
    answerStep(claims, expected),
    organizationStep(read),
    await proofStep(read),
    await checkpointStep(state, expected),
    enclaveStep(state, expected, state.boot),
  ];
  return { ok: steps.every(({ ok }) => ok !== false), steps, claims };
}

function readAll(bytes: Uint8Array): Read {
  const { cose, bucket, path, ...signed } = readReadProof(bytes);
  const { payload, signature, message, ...signer } = readCosePayload(cose);
  const state = readSignedState(signed, signer);
  return { claims: readReadClaims(payload), bucket, path, signature, message, state };
}

function requestStep({ query, request }: ReadClaims, expected: ReadExpectations): Step {
  if (expected.query !== undefined && expected.query !== query)
    return { name: 'request', ok: false, words: `it is about another query, ${query}` };
  return compare('request', digestOf(expected.body), request, {
    yes: `it is about this body, asked as ${query}`,
    no: `it is about another query, ${query} with a body of SHA-256 ${bytesToHex(request)}`,
    unknown: `it is about the query ${query} with a body of SHA-256 ${bytesToHex(request)}`,
  });
}

const answerStep = ({ answer }: ReadClaims, expected: ReadExpectations): Step =>
  compare('answer', digestOf(expected.answer), answer, {
    yes: 'it is about this answer',
    no: `it is about another answer, with a body of SHA-256 ${bytesToHex(answer)}`,
    unknown: `it is about the answer with a body of SHA-256 ${bytesToHex(answer)}`,
  });

const digestOf = (given: string | Uint8Array | undefined): Uint8Array | undefined =>
  given === undefined ? undefined : sha256(typeof given === 'string' ? utf8ToBytes(given) : given);

/** The map of the checkpoint has the head that the answer was made from, or none. */
function organizationStep({ claims, bucket, path, state }: Read): Step {
  const { organization, head, time } = claims;
  const id = bytesToHex(organization);
  const failed = (words: string): Step => ({ name: 'organization', ok: false, words });
  const root = path.length === levels && organization.length === 16 ? rootOf(organization, bucket, path) : undefined;
  if (!root || !equalBytes(root, claims.map) || !equalBytes(root, state.bound.map))
    return failed('the checkpoint’s map does not have what the proof shows of it');
  const entry = sha256(concatBytes(Uint8Array.of(2), organization, new Uint8Array(16), head));
  if (!hasHash(bucket, entry)) return failed(`the answer was not made from the state that organization ${id} was in`);
  return {
    name: 'organization',
    ok: true,
    words: `organization ${id} was in the state ${bytesToHex(head)} as of ${date(time)}`,
  };
}

function rootOf(key: Uint8Array, bucket: Uint8Array, path: readonly Uint8Array[]): Uint8Array {
  let position = ((key[0] as number) << 8) | (key[1] as number);
  let node = sha256(concatBytes(Uint8Array.of(0), bucket));
  for (const sibling of path) {
    const isLeft = position % 2 === 0;
    node = sha256(concatBytes(Uint8Array.of(1), isLeft ? node : sibling, isLeft ? sibling : node));
    position >>= 1;
  }
  return node;
}

/** Whether one of the hashes of 32 bytes that follow one another in `hashes` is `hash`. */
function hasHash(hashes: Uint8Array, hash: Uint8Array): boolean {
  for (let at = 0; at < hashes.length; at += 32) if (equalBytes(hashes.subarray(at, at + 32), hash)) return true;
  return false;
}

async function proofStep({ state, signature, message }: Read): Promise<Step> {
  const ok = await verifyEd25519(state.statement.bootKey, signature, message);
  return { name: 'proof', ok, words: ok ? 'the enclave signed this answer' : 'the enclave did not sign this answer' };
}
