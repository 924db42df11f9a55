/** A holder's steps: look at the manifest, open the own share, seal it to the enclave's key of this start. */
import { randomBytes } from 'node:crypto';
import { type CeremonyReport, type HandIn, handIn, provision } from '../../protocol/ceremony/hand-in.ts';
import { openSealed, type Recipient, sealTo } from '../../protocol/ceremony/hpke.ts';
import {
  holderId,
  type Manifest,
  manifestHash,
  proposalHash,
  readManifest,
  readProposal,
  shareCommitment,
} from '../../protocol/ceremony/manifest.ts';
import { OperatorError } from '../operator-error.ts';
import { askAttestation, askReport, sendShare } from './ask.ts';
import { checkAttestation, type Trust } from './attestation.ts';
import { type Accepted, acceptManifest, type HolderFile, openHolderKey, readHolderFile } from './holder-file.ts';

export type HolderOptions = {
  readonly url: string;
  /** Path of the holder's file. */
  readonly key: string;
  readonly passphraseFile: string | undefined;
  /** Hash of the manifest that the holder accepts from now on. */
  readonly manifest: string | undefined;
};

/** Opens the holder's share and compares it with the manifest; sends nothing. Gives the manifest's hash. */
export async function checkShare(options: HolderOptions): Promise<string> {
  const { share, hash } = await openShare(await askReport(options.url), options);
  share.fill(0);
  return hash;
}

/** Hands the holder's share to the enclave; with `proposal`, as the word for those new holders. */
export async function giveShare(
  options: HolderOptions & { readonly trust: Trust; readonly proposal: string | null },
): Promise<CeremonyReport> {
  const { url, trust, proposal } = options;
  const nonce = randomBytes(32);
  const attested = await checkAttestation(await askAttestation(url, nonce), nonce, trust);
  const report = await askReport(url);
  if (report.boot !== attested.boot) {
    throw new OperatorError('the enclave was started anew in the meantime; run this again');
  }
  const { share, hash, own } = await openShare(report, options);
  const named = { holder: holderId(own.publicKey).toString('hex'), boot: attested.boot, manifest: hash, proposal };
  const envelope = sealTo(attested.encryptionKey, handIn(named), share).toString('base64url');
  share.fill(0);
  const message: HandIn = { version: 1, ...named, envelope };
  return sendShare(url, message);
}

type OpenedShare = { readonly share: Buffer; readonly hash: string; readonly own: Recipient };

async function openShare(report: CeremonyReport, options: HolderOptions): Promise<OpenedShare> {
  const file = readHolderFile(options.key);
  const { manifest, hash } = shownManifest(report);
  const accepted = judgeManifest(manifest, hash.toString('hex'), file.accepted, options.manifest);
  const index = manifest.holders.findIndex(
    ({ publicKey }) => Buffer.from(publicKey).toString('hex') === file.publicKey,
  );
  const [holder, kept] = [manifest.holders[index], report.holders[index]];
  if (!holder || !kept)
    throw new OperatorError(`${file.name} (${file.publicKey.slice(0, 16)}…) holds no share of this manifest`);
  const own = await openHolderKey(file, options.passphraseFile);
  const share = openOwn(own, hash, kept.envelope);
  if (!shareCommitment(share).equals(holder.share)) {
    share.fill(0);
    throw new OperatorError(
      'the share that the service keeps for you is not the one that the manifest names: it was altered',
    );
  }
  if (accepted.hash !== file.accepted?.hash) acceptManifest(options.key, file, accepted);
  return { share, hash: accepted.hash, own };
}

function openOwn(own: Recipient, hash: Buffer, envelope: string): Buffer {
  try {
    return openSealed(own, provision(hash, own.publicKey), Buffer.from(envelope, 'base64url'));
  } catch {
    throw new OperatorError('the share that the service keeps for you cannot be opened with your key: it was altered');
  }
}

/** The manifest and its own hash, whatever the service says that it is. */
export function shownManifest(report: CeremonyReport): { manifest: Manifest; hash: Buffer } {
  const encoded = Buffer.from(report.manifest, 'base64url');
  return { manifest: readSound(readManifest, encoded), hash: manifestHash(encoded) };
}

function readSound<T>(read: (encoded: Uint8Array) => T, encoded: Buffer): T {
  try {
    return read(encoded);
  } catch (error) {
    throw new OperatorError(`the service shows what cannot be used: ${(error as Error).message}`);
  }
}

/** What the holder accepts after this; throws for a manifest that is older, or that the holder has not compared with the others. */
export function judgeManifest(
  manifest: Manifest,
  hash: string,
  known: HolderFile['accepted'],
  given: string | undefined,
): Accepted {
  const { nonce, previous } = manifest;
  if (known?.hash === hash) return known;
  if (known && nonce < known.nonce) {
    throw new OperatorError(
      `the service shows manifest number ${nonce}, which is older than number ${known.nonce} that you accepted: it was restored to an earlier state`,
    );
  }
  if (known && nonce === known.nonce) {
    throw new OperatorError(
      `the service shows another manifest of number ${nonce} than the one that you accepted (${known.hash}): it was altered`,
    );
  }
  if (known && nonce === known.nonce + 1 && Buffer.from(previous ?? []).toString('hex') !== known.hash) {
    throw new OperatorError(`manifest number ${nonce} does not follow the one that you accepted (${known.hash})`);
  }
  if (given !== hash)
    throw new OperatorError(
      `${describeManifest(manifest, hash)}\nCompare this with what the operator and the other holders see. If it is the same, add --manifest ${hash}`,
    );
  return { nonce, hash };
}

/** The hash of what is proposed, once the holder has named it. */
export function judgeProposal({ proposal }: CeremonyReport, given: string | undefined): string {
  if (!proposal) throw new OperatorError('no new holders are proposed');
  const encoded = Buffer.from(proposal.encoded, 'base64url');
  const { threshold, holders } = readSound(readProposal, encoded);
  const hash = proposalHash(encoded).toString('hex');
  if (given?.toLowerCase() === hash) return hash;
  throw new OperatorError(`${describeHolders(threshold, holders)}\nTo agree to exactly this, add --proposal ${hash}`);
}

/** In words, for people who compare. */
export const describeManifest = ({ nonce, threshold, holders }: Manifest, hash: string): string =>
  `manifest number ${nonce}: ${describeHolders(threshold, holders)}\nhash ${hash}`;

function describeHolders(threshold: number, holders: readonly { name: string; publicKey: Uint8Array }[]): string {
  const lines = holders.map(({ name, publicKey }) => `  ${name}:${Buffer.from(publicKey).toString('hex')}`);
  return [`${threshold} of ${holders.length} holders`, ...lines].join('\n');
}
