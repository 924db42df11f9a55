/** Verifies receipts offline (docs/receipts.md): each step in words, for those who were not there. */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { encodeBytes } from '../../../src/protocol/cbor-bytes.ts';
import { NoteError, verifyEd25519 } from '../../../src/protocol/log/signed-note.ts';
import { equalBytes, type NodeHash, rootOfPath } from '../../../src/protocol/log/tree.ts';
import type { PolicyObject } from '../../../src/protocol/queries/objects.ts';
import type { ClaimedVote, Claims, Receipt } from '../../../src/protocol/receipt.ts';
import { type CoseReceipt, readCoseReceipt } from './cose-receipt.ts';
import { policiesDigest } from './policies-digest.ts';
import { type BootStatement, bytesOfReceipt, ReceiptError, readClaims, readReceipt } from './read-receipt.ts';
import { checkpointStep, enclaveStep, readSignedState, type SignedState, type Trusted } from './signed-state.ts';
import { compare, date, type Step } from './step.ts';
import { verifyStamp } from './verify-stamp.ts';

/** What the receipt is compared with, as far as it is at hand. */
export type Expectations = Trusted & {
  /** The request's body, exactly as it was stamped. */
  readonly body?: string | Uint8Array;
  /** The activity's result: the object below `activity.result`, or its JSON text. */
  readonly result?: unknown;
  /** What was to be signed, in the text of the request. */
  readonly payload?: string;
  /** In hex, or `r`, `s` and `v` of the result. Of a transaction: the signed transaction. */
  readonly signature?: string | { readonly r: string; readonly s: string; readonly v: string };
  /** All policies of the organization at that time, as `list_policies` gives them. */
  readonly policies?: readonly PolicyObject[];
};

/** Where in which log the activity is: an application that keeps it notices when that log is rolled back or forked. */
export type Place = {
  /** Entries of the log when the receipt was made, and which of them it is, from 0. */
  readonly size: number;
  readonly index: number;
  /** Hash of the entry, in hex. */
  readonly leaf: string;
  readonly logKey: string;
  /** How often an operator had a restored state accepted. */
  readonly epoch: number;
};

export type Verification = {
  /** No step failed. */
  readonly ok: boolean;
  readonly steps: readonly Step[];
  /** What the receipt claims; null where it could not be read. */
  readonly claims: Claims | null;
  readonly statement: BootStatement | null;
  readonly place: Place | null;
};

type Read = {
  readonly receipt: Receipt;
  readonly claims: Claims;
  readonly cose: CoseReceipt;
  readonly state: SignedState;
  readonly leaf: Uint8Array;
  /** Root of the log in which the claims are, by the receipt's path. */
  readonly root: Uint8Array | undefined;
};

/**
 * Verifies a receipt, given as bytes, as base64url, or as the answer that carries it. It never rejects: what is wrong is a step
 * that failed. Nothing is fetched.
 *
 * ```ts
 * const { ok, steps } = await verifyReceipt(answer, { body, logKey });
 * for (const { ok, words } of steps) console.log(ok === false ? '✗' : '✓', words);
 * ```
 */
export async function verifyReceipt(
  receipt: Uint8Array | string | object,
  expected: Expectations = {},
): Promise<Verification> {
  let read: Read;
  try {
    read = readAll(bytesOfReceipt(receipt));
  } catch (error) {
    if (!(error instanceof ReceiptError || error instanceof NoteError)) throw error;
    const step: Step = { name: 'receipt', ok: false, words: `this is no receipt: ${error.message}` };
    return { ok: false, steps: [step], claims: null, statement: null, place: null };
  }
  // Signatures are verified side by side.
  const [stamps, proof, checkpoint] = await Promise.all([
    stampsStep(read),
    proofStep(read),
    checkpointStep(read.state, expected),
  ]);
  const steps = [
    receiptStep(read),
    requestStep(read, expected),
    stamps,
    decisionStep(read, expected),
    signedStep(read, expected),
    resultStep(read, expected),
    inclusionStep(read),
    proof,
    checkpoint,
    enclaveStep(read.state, expected, read.claims.enclave),
  ];
  const { claims, state, cose, leaf } = read;
  const { statement, issuer: logKey } = state;
  const { epoch } = state.bound;
  const place = { size: cose.size, index: cose.index, leaf: bytesToHex(leaf), logKey, epoch };
  return { ok: steps.every(({ ok }) => ok !== false), steps, claims, statement, place };
}

function readAll(bytes: Uint8Array): Read {
  const receipt = readReceipt(bytes);
  const claims = readClaims(receipt.claims);
  const cose = readCoseReceipt(receipt.cose);
  const leaf = sha256(concatBytes(Uint8Array.of(0), entryOf(receipt)));
  return {
    receipt,
    claims,
    cose,
    state: readSignedState(receipt, cose),
    leaf,
    root: rootOfPath(nodeHash, { leaf, ...cose }),
  };
}

/** The log's entry of an activity. */
const entryOf = ({ row, claims }: Receipt): Uint8Array =>
  encodeBytes({ v: 1, kind: 'activity', digest: sha256(concatBytes(row, sha256(claims))) });

const nodeHash: NodeHash = (left, right) => sha256(concatBytes(Uint8Array.of(1), left, right));

const receiptStep = ({ claims }: Read): Step => ({
  name: 'receipt',
  ok: true,
  words: `receipt of activity ${claims.activity} of organization ${claims.organization}: ${plain(claims.type, 'ACTIVITY_TYPE_')}, ${plain(claims.status, 'ACTIVITY_STATUS_')}, ${date(claims.time)}`,
});

function requestStep({ claims }: Read, { body }: Expectations): Step {
  const digest = bytesToHex(claims.request);
  const found = body === undefined ? undefined : sha256(toBytes(body));
  const vote = found && claims.votes.find((each) => each.body && equalBytes(each.body, found));
  if (vote) return { name: 'request', ok: true, words: 'this request voted on it' };
  return compare('request', found, claims.request, {
    yes: 'it is for this request',
    no: `it is for another request, with a body of SHA-256 ${digest}`,
    unknown: `it is for a request with a body of SHA-256 ${digest}`,
  });
}

async function stampsStep({ receipt, claims }: Read): Promise<Step> {
  const who = claims.votes.map(voteWords);
  const { stamps } = receipt;
  if (!stamps) return { name: 'stamps', ok: null, words: `${who.join('; ')}; the stamps themselves are not in it` };
  if (stamps.length !== claims.votes.length) {
    return { name: 'stamps', ok: false, words: `there are ${stamps.length} stamps of ${claims.votes.length} votes` };
  }
  const verdicts = await Promise.all(
    stamps.map((stamp, at) => verifyStamp(stamp, claims.votes[at] as ClaimedVote, claims.request)),
  );
  const words = verdicts.map((verdict, at) => `${who[at]}: ${verdict.words}`).join('; ');
  const worst = verdicts.some(({ ok }) => ok === false) ? false : verdicts.some(({ ok }) => ok === null) ? null : true;
  return { name: 'stamps', ok: worst, words };
}

function voteWords({ kind, credential, selection, at }: ClaimedVote): string {
  const does = selection === 'VOTE_SELECTION_APPROVED' ? 'approved' : 'rejected';
  return `${does} by ${kind === 'passkey' ? 'passkey' : 'API key'} ${credential}, ${date(at)}`;
}

function decisionStep({ claims }: Read, { policies }: Expectations): Step {
  const { outcome, decidedBy, policies: digest } = claims.decision;
  const named = policies?.find(({ policyId }) => policyId === decidedBy);
  const by = named ? `policy “${named.policyName}” (${decidedBy})` : (decidedBy ?? 'no policy');
  const decided = `${plain(outcome, 'OUTCOME_')} by ${by}`;
  return compare('decision', policies && policiesDigest(policies), digest, {
    yes: `${decided}, under these ${policies?.length} policies`,
    no: `${decided}, under other policies than these, of SHA-256 ${bytesToHex(digest)}`,
    unknown: `${decided}, under policies of SHA-256 ${bytesToHex(digest)}`,
  });
}

function signedStep({ claims }: Read, { payload, signature }: Expectations): Step {
  const digests = [
    payload === undefined ? undefined : { member: 'payload' as const, digest: sha256(toBytes(payload)) },
    signature === undefined ? undefined : { member: 'signature' as const, digest: sha256(signatureBytes(signature)) },
  ].filter((each) => each !== undefined);
  const { signed } = claims;
  const count = signed.length === 1 ? 'one signature' : `${signed.length || 'no'} signatures`;
  if (digests.length === 0) return { name: 'signed', ok: null, words: `it made ${count}` };
  // Payload and signature have to be of the same pair.
  const at = signed.findIndex((pair) => digests.every(({ member, digest }) => equalBytes(pair[member], digest)));
  const what = digests.map(({ member }) => `this ${member}`).join(' and ');
  const words = at === -1 ? `it made ${count}, none of ${what}` : `what was signed is ${what}`;
  return { name: 'signed', ok: at !== -1, words };
}

function resultStep({ claims }: Read, { result }: Expectations): Step {
  if (claims.result === null) {
    const isGiven = result !== undefined && result !== null;
    return { name: 'result', ok: isGiven ? false : null, words: 'the activity has no result' };
  }
  const text = result === undefined || typeof result === 'string' ? result : JSON.stringify(result);
  return compare('result', text === undefined ? undefined : sha256(utf8ToBytes(text)), claims.result, {
    yes: 'its result is this one',
    no: 'its result is another one',
    unknown: `its result has SHA-256 ${bytesToHex(claims.result)}`,
  });
}

function inclusionStep({ root, cose, state: { checkpoint } }: Read): Step {
  const isIn = root !== undefined && equalBytes(root, checkpoint.root) && cose.size === checkpoint.size;
  const words = isIn
    ? `all this is entry ${cose.index} of the log ${checkpoint.origin} of ${checkpoint.size} entries`
    : `the log ${checkpoint.origin} of ${checkpoint.size} entries does not hold these claims at place ${cose.index}`;
  return { name: 'inclusion', ok: isIn, words };
}

async function proofStep({ root, cose, state: { statement } }: Read): Promise<Step> {
  const ok = root !== undefined && (await verifyEd25519(statement.bootKey, cose.signature, cose.messageOver(root)));
  const words = ok ? 'the enclave signed this state of the log' : 'the enclave did not sign a log that holds this';
  return { name: 'proof', ok, words };
}

/** Bytes that are no hex are the empty signature, which is none. */
function signatureBytes(signature: NonNullable<Expectations['signature']>): Uint8Array {
  const text = typeof signature === 'string' ? signature : `${signature.r}${signature.s}${signature.v}`;
  const hex = text.trim().replace(/^0x/, '');
  if (!/^(?:[0-9a-f]{2})*$/i.test(hex)) return new Uint8Array();
  return Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
}

const toBytes = (value: string | Uint8Array): Uint8Array => (typeof value === 'string' ? utf8ToBytes(value) : value);

/** `ACTIVITY_TYPE_SIGN_RAW_PAYLOAD_V2` as `sign raw payload v2`. */
const plain = (name: string, prefix: string): string => name.replace(prefix, '').toLowerCase().replaceAll('_', ' ');
