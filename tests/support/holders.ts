/** People who hold shares of a root key, each with a key pair. */
import { createECDH } from 'node:crypto';
import { type CeremonyReport, type HandIn, handIn, provision } from '../../src/protocol/ceremony/hand-in.ts';
import { openSealed, type Recipient, sealTo } from '../../src/protocol/ceremony/hpke.ts';
import { encodeProposal, holderId, manifestHash } from '../../src/protocol/ceremony/manifest.ts';

export type TestHolder = Recipient & { readonly name: string };

export function recipient(): Recipient {
  const key = createECDH('prime256v1');
  const publicKey = key.generateKeys();
  return { publicKey, agree: (point) => key.computeSecret(point) };
}

export const makeHolders = (...names: string[]): TestHolder[] => names.map((name) => ({ name, ...recipient() }));

export const proposalOf = (
  holders: readonly TestHolder[],
  threshold: number,
  previous: Uint8Array | null = null,
): Buffer =>
  encodeProposal({ threshold, holders: holders.map(({ name, publicKey }) => ({ name, publicKey })), previous });

/** The holder's own share, out of what the enclave reports. */
export function shareOf(holder: TestHolder, report: CeremonyReport): Buffer {
  const own = report.holders.find(({ name }) => name === holder.name);
  if (!own) throw new Error(`${holder.name} is not in the manifest`);
  const hash = manifestHash(Buffer.from(report.manifest, 'base64url'));
  return openSealed(holder, provision(hash, holder.publicKey), Buffer.from(own.envelope, 'base64url'));
}

/** A share on its way to the enclave with `encryptionKey`, for the start and the manifest that `report` names. */
export function handInOf(
  holder: TestHolder,
  encryptionKey: Uint8Array,
  report: CeremonyReport,
  { share = shareOf(holder, report), proposal = null }: { share?: Uint8Array; proposal?: string | null } = {},
): HandIn {
  const named = {
    holder: holderId(holder.publicKey).toString('hex'),
    boot: report.boot,
    manifest: report.manifestHash,
    proposal,
  };
  const envelope = sealTo(encryptionKey, handIn(named), share).toString('base64url');
  return { version: 1, ...named, envelope };
}
