/**
 * The manifest of a quorum: who holds a share of the root key, how many of them it takes, and digests by which a wrong
 * share is known. It holds no secret. Holders compare its hash with one another before they accept it.
 */
import { createECDH, createHash } from 'node:crypto';
import * as v from 'valibot';
import { type Cbor, decode, encode } from '../cbor.ts';

/** Domain separators; also of src/protocol/ceremony/hand-in.ts. */
export const contexts = {
  manifest: 'countersign/manifest/v1',
  proposal: 'countersign/share-proposal/v1',
  root: 'countersign/root-commitment/v1',
  share: 'countersign/share-commitment/v1',
  /** HPKE info: a share for its holder, for a start of the enclave, for a new set of holders. */
  provision: 'countersign/provision/v1',
  handIn: 'countersign/hand-in/v1',
  reshare: 'countersign/reshare/v1',
} as const;

const manifestVersion = 1;
const maxHolders = 32;

const bytes = (length: number) =>
  v.custom<Uint8Array>((value) => value instanceof Uint8Array && value.length === length, `expected ${length} bytes`);
const point = v.pipe(
  bytes(65),
  v.check((value) => isPoint(value), 'expected an uncompressed P-256 point'),
);
export const holderName = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/, 'expected 1 to 32 letters, digits or ._-'),
);
const holder = v.strictObject({ name: holderName, publicKey: point });
const count = v.pipe(v.number(), v.integer(), v.minValue(2), v.maxValue(maxHolders));

/** Who is to hold shares: what the operator asks for, before there are any. */
const proposalSchema = v.strictObject({
  v: v.literal(manifestVersion),
  threshold: count,
  holders: v.pipe(v.array(holder), v.minLength(2), v.maxLength(maxHolders)),
  /** Hash of the manifest that it follows; null where there is none. */
  previous: v.nullable(bytes(32)),
});

const keeper = v.strictObject({ name: holderName, publicKey: point, share: bytes(32) });

const manifestSchema = v.strictObject({
  v: v.literal(manifestVersion),
  /** Raised by each new set of holders. */
  nonce: v.pipe(v.number(), v.integer(), v.minValue(1)),
  threshold: count,
  /** `share`: commitment to the share that each was given. */
  holders: v.pipe(v.array(keeper), v.minLength(2), v.maxLength(maxHolders)),
  /** Commitment to the root key. */
  root: bytes(32),
  previous: v.nullable(bytes(32)),
});

export type Proposal = v.InferOutput<typeof proposalSchema>;
export type Manifest = v.InferOutput<typeof manifestSchema>;

/** Throws an `Error` that says what is wrong. */
export const readProposal = (encoded: Uint8Array): Proposal => read(proposalSchema, encoded, 'proposal');
export const readManifest = (encoded: Uint8Array): Manifest => read(manifestSchema, encoded, 'manifest');

/** The encoding, refused where it could not be read again. */
export function encodeProposal(proposal: Omit<Proposal, 'v'>): Buffer {
  const encoded = encode({ v: manifestVersion, ...proposal } as Cbor);
  readProposal(encoded);
  return encoded;
}

export const encodeManifest = (manifest: Omit<Manifest, 'v'>): Buffer =>
  encode({ v: manifestVersion, ...manifest } as Cbor);

export const manifestHash = (manifest: Uint8Array): Buffer => digest(contexts.manifest, manifest);
export const proposalHash = (proposal: Uint8Array): Buffer => digest(contexts.proposal, proposal);
export const rootCommitment = (rootKey: Uint8Array): Buffer => digest(contexts.root, rootKey);
export const shareCommitment = (share: Uint8Array): Buffer => digest(contexts.share, share);
/** What names a holder in messages: a holder is a key, whatever the name. */
export const holderId = (publicKey: Uint8Array): Buffer => createHash('sha256').update(publicKey).digest();

function read<S extends typeof proposalSchema | typeof manifestSchema>(
  schema: S,
  encoded: Uint8Array,
  what: string,
): v.InferOutput<S> {
  const parsed = v.safeParse(schema, decode(encoded));
  const fault = parsed.success ? quorumFault(parsed.output) : describeIssue(parsed.issues[0]);
  if (parsed.success && !fault) return parsed.output;
  throw new Error(`the ${what} is not sound: ${fault}`);
}

const describeIssue = (issue: v.BaseIssue<unknown>): string =>
  [v.getDotPath(issue), issue.message].filter(Boolean).join(': ');

function quorumFault({ threshold, holders }: Pick<Proposal, 'threshold' | 'holders'>): string | undefined {
  if (threshold > holders.length) return `${threshold} of ${holders.length} holders cannot come together`;
  if (!isUnique(holders.map(({ name }) => name))) return 'two holders have one name';
  if (!isUnique(holders.map(({ publicKey }) => hex(publicKey)))) return 'two holders have one public key';
  return undefined;
}

/** The context and its data cannot run into one another: no context holds a zero byte. */
const digest = (context: string, data: Uint8Array): Buffer =>
  createHash('sha256').update(context).update(Buffer.of(0)).update(data).digest();

function isPoint(value: Uint8Array): boolean {
  try {
    const probe = createECDH('prime256v1');
    probe.generateKeys();
    probe.computeSecret(value);
    return value[0] === 4;
  } catch {
    return false;
  }
}

const isUnique = (values: readonly string[]): boolean => new Set(values).size === values.length;
const hex = (value: Uint8Array): string => Buffer.from(value).toString('hex');
