/**
 * The root key in nobody's hands: it exists in the memory of the enclave alone, and as Shamir's shares of which each is
 * sealed to a person. At every start so many of them as the manifest says must hand theirs in, each after a look at the
 * enclave's attestation, sealed to a key that was made at this very start (docs/ceremony.md).
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CeremonyReport, type HandIn, provision, readHandIn } from '../../protocol/ceremony/hand-in.ts';
import { sealTo } from '../../protocol/ceremony/hpke.ts';
import {
  encodeManifest,
  type Manifest,
  manifestHash,
  type Proposal,
  proposalHash,
  readManifest,
  readProposal,
  rootCommitment,
  shareCommitment,
} from '../../protocol/ceremony/manifest.ts';
import { invalidArgument } from '../../protocol/errors.ts';
import { type Boot, type Collection, createCollection, refuse } from '../ceremony/collection.ts';
import { splitRoot } from '../ceremony/shares.ts';
import { type SealedRoot, SealingError, type SealingProvider, type Waiting } from './provider.ts';
import { deriveKey } from './seal.ts';

export type QuorumParts = {
  /** The enclave's own, where the operator says who is to hold shares. */
  readonly folder: string;
  readonly boot: Boot;
  readonly waiting: Waiting;
  /** Puts a record with new holders beside the present one, to be used from the next start on. */
  readonly replace: (sealed: SealedRoot) => void;
};

/** What is kept: the manifest, each holder's share sealed to them, and a tag of the manifest under the root key. */
type Record = {
  readonly encoded: Buffer;
  readonly hash: Buffer;
  readonly manifest: Manifest;
  readonly envelopes: Buffer[];
  readonly tag: Buffer;
};

type Agreement = { readonly hash: string; readonly collection: Collection };

/** The proposal of the operator, in the enclave's folder. */
const proposalPath = (folder: string): string => join(folder, 'quorum-proposal');

export function quorumShares({ folder, boot, waiting, replace }: QuorumParts): SealingProvider {
  let record: Record | undefined;
  /** While `unseal` waits. */
  let start: { collection: Collection; arrived: () => Promise<void> } | undefined;
  let agreement: Agreement | undefined;
  /** Messages are carried out one after another. */
  let tail: Promise<unknown> = Promise.resolve();

  async function seal(rootKey: Buffer, previous?: SealedRoot): Promise<SealedRoot> {
    const before = previous && readRecord(previous);
    return share(rootKey, nextHolders(folder, before), before);
  }

  function unseal(sealed: SealedRoot): Promise<Buffer> {
    const current = readRecord(sealed);
    record = current;
    // For holders who cannot know what lies between them and this enclave: whoever starts it reads it here.
    console.error(`enclave: boot id ${hex(boot.id)}, manifest ${hex(current.hash)}`);
    const collection = createCollection(current.manifest, current.hash, boot);
    return new Promise((resolve, reject) => {
      const say = () => waiting(waitingText(collection.names(), current.manifest.threshold));
      const arrived = async () => {
        if (!collection.isComplete()) return say();
        start = undefined;
        waiting(null);
        await combine(current, collection).then(resolve, reject);
      };
      start = { collection, arrived };
      say();
    });
  }

  async function combine({ encoded, tag }: Record, collection: Collection): Promise<Buffer> {
    const rootKey = await collection.combine();
    if (rootKey && timingSafeEqual(tagOf(rootKey, encoded), tag)) return rootKey;
    rootKey?.fill(0);
    throw new SealingError('the manifest of the shares was altered in the sealing file; restore it from the backup');
  }

  async function handIn(message: HandIn, current: Record): Promise<void> {
    if (message.proposal !== null) return agree(message, message.proposal, current);
    if (!start) throw refuse('the root key is there; shares are asked for at the next start', 'SHARE_NOT_NEEDED');
    start.collection.take(message);
    await start.arrived();
  }

  /** A holder's word for new holders; with enough of them the root key is shared anew. */
  async function agree(message: HandIn, wanted: string, current: Record): Promise<void> {
    const proposal = start ? undefined : readNextProposal(folder, current);
    if (proposal === undefined || proposalHash(proposal.encoded).toString('hex') !== wanted) {
      throw refuse(`there is no proposal ${wanted} of new holders to agree to`, 'PROPOSAL_UNKNOWN');
    }
    if (agreement?.hash !== wanted)
      agreement = { hash: wanted, collection: createCollection(current.manifest, current.hash, boot) };
    const { collection } = agreement;
    collection.take(message);
    if (!collection.isComplete()) return;
    agreement = undefined;
    const rootKey = await combine(current, collection);
    try {
      const sealed = await share(rootKey, proposal.proposal, current);
      replace(sealed);
      record = readRecord(sealed);
    } finally {
      rootKey.fill(0);
    }
  }

  function report(current: Record): CeremonyReport {
    const handed = new Set(start?.collection.names());
    const proposal = start ? undefined : readNextProposal(folder, current);
    const hash = proposal && proposalHash(proposal.encoded).toString('hex');
    return {
      phase: start ? 'waiting' : 'open',
      boot: hex(boot.id),
      manifest: current.encoded.toString('base64url'),
      manifestHash: current.hash.toString('hex'),
      holders: current.manifest.holders.map(({ name }, index) => ({
        name,
        envelope: (current.envelopes[index] as Buffer).toString('base64url'),
        handedIn: handed.has(name),
      })),
      proposal:
        proposal && hash
          ? {
              encoded: proposal.encoded.toString('base64url'),
              hash,
              agreed: agreement?.hash === hash ? agreement.collection.names() : [],
            }
          : null,
    };
  }

  async function answer(message: Uint8Array): Promise<Uint8Array> {
    if (!record) throw refuse('there is no ceremony: this enclave has no shares yet', 'NO_CEREMONY');
    if (message.length > 0) {
      const read = readHandIn(message);
      if (!read) throw invalidArgument('expected a share as `countersign ceremony share` sends it');
      await handIn(read, record);
    }
    return Buffer.from(JSON.stringify(report(record)));
  }

  return {
    name: 'quorum-shares',
    seal,
    unseal,
    ceremony(message) {
      const result = tail.then(() => answer(message));
      tail = result.catch(() => {});
      return result;
    },
  };
}

/** Splits the root key among `wanted`, under the manifest that follows `before`. */
async function share(
  rootKey: Buffer,
  wanted: Pick<Proposal, 'threshold' | 'holders'>,
  before: Record | undefined,
): Promise<SealedRoot> {
  const { threshold } = wanted;
  const shares = await splitRoot(rootKey, wanted.holders.length, threshold);
  const holders = wanted.holders.map(({ name, publicKey }, index) => ({
    name,
    publicKey,
    share: shareCommitment(shares[index] as Buffer),
  }));
  const encoded = encodeManifest({
    nonce: (before?.manifest.nonce ?? 0) + 1,
    previous: before?.hash ?? null,
    threshold,
    holders,
    root: rootCommitment(rootKey),
  });
  const hash = manifestHash(encoded);
  const envelopes = holders.map(({ publicKey }, index) => {
    const share = shares[index] as Buffer;
    const envelope = sealTo(publicKey, provision(hash, publicKey), share);
    share.fill(0);
    return envelope;
  });
  return { manifest: encoded, envelopes, tag: tagOf(rootKey, encoded) };
}

function waitingText(names: readonly string[], threshold: number): string {
  const so = names.length ? ` (${names.join(', ')})` : '';
  return `waiting for shares: ${names.length} of ${threshold}${so}`;
}

function readRecord({ manifest: encoded, envelopes, tag }: SealedRoot): Record {
  try {
    if (!(encoded instanceof Uint8Array && tag instanceof Uint8Array && tag.length === 32 && Array.isArray(envelopes)))
      throw new Error('a part is missing');
    const manifest = readManifest(encoded);
    if (envelopes.length !== manifest.holders.length || !envelopes.every((each) => each instanceof Uint8Array))
      throw new Error('a share is missing');
    return {
      encoded: Buffer.from(encoded),
      hash: manifestHash(encoded),
      manifest,
      envelopes: envelopes.map((each) => Buffer.from(each as Uint8Array)),
      tag: Buffer.from(tag),
    };
  } catch (error) {
    throw new SealingError(`the sealing file cannot be used (${(error as Error).message}); restore it from the backup`);
  }
}

const tagOf = (rootKey: Buffer, manifest: Uint8Array): Buffer =>
  createHmac('sha256', deriveKey(rootKey, 'manifestTag')).update(manifest).digest();

type Asked = { readonly encoded: Buffer; readonly proposal: Proposal };

/** Who is to hold shares next: as the operator proposes, otherwise those who do now. */
function nextHolders(folder: string, before: Record | undefined): Pick<Proposal, 'threshold' | 'holders'> {
  const asked = readNextProposal(folder, before);
  if (asked) return asked.proposal;
  if (before) return before.manifest;
  throw new SealingError(
    'nobody is named yet to hold shares of the root key: run `countersign ceremony new --threshold … --holder …` first',
  );
}

/** The operator's proposal where it follows this manifest; older ones were carried out. */
function readNextProposal(folder: string, before: Record | undefined): Asked | undefined {
  const path = proposalPath(folder);
  if (!existsSync(path)) return undefined;
  const encoded = readFileSync(path);
  try {
    const proposal = readProposal(encoded);
    const follows = Buffer.from(proposal.previous ?? []).equals(before?.hash ?? Buffer.alloc(0));
    return follows ? { encoded, proposal } : undefined;
  } catch (error) {
    throw new SealingError(`${path}: ${(error as Error).message}; run \`countersign ceremony new\` again`);
  }
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
