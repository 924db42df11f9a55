/** The operator names holders: a file in the enclave's folder, for its first start or for the word of the present holders. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Cbor, decode } from '../../protocol/cbor.ts';
import { encodeProposal, manifestHash, proposalHash, readManifest } from '../../protocol/ceremony/manifest.ts';
import { openDataDirectory, ownFolder, replaceFile } from '../files.ts';
import { enclaveFolder } from '../host.ts';
import { OperatorError } from '../operator-error.ts';
import { ceremonyHelp } from './help.ts';

export type Asked = { readonly threshold: string | undefined; readonly holders: readonly string[] };

/** Writes the proposal, and gives its hash. `isFirst`: there must be no shares yet; otherwise there must be some. */
export function propose(dataDirectory: string, { threshold, holders }: Asked, isFirst: boolean): string {
  const folder = enclaveFolder(openDataDirectory(dataDirectory));
  const previous = presentManifest(folder);
  if (isFirst && previous)
    throw new OperatorError('shares are held already; to change who holds them, run `countersign ceremony reshare`');
  if (!isFirst && !previous) throw new OperatorError('nobody holds shares yet; run `countersign ceremony new`');
  const proposal = encoded(threshold, holders, previous);
  ownFolder(folder, null);
  const { uid } = statSync(folder);
  const owner = process.getuid?.() === 0 && uid !== 0 ? uid : null;
  replaceFile(join(folder, 'quorum-proposal'), proposal, owner);
  return proposalHash(proposal).toString('hex');
}

function encoded(threshold: string | undefined, holders: readonly string[], previous: Buffer | null): Buffer {
  if (!/^\d{1,2}$/.test(threshold ?? ''))
    throw new OperatorError(`--threshold: expected a number, got ${threshold ?? 'nothing'}\n\n${ceremonyHelp}`);
  try {
    return encodeProposal({ threshold: Number(threshold), holders: holders.map(parseHolder), previous });
  } catch (error) {
    if (error instanceof OperatorError) throw error;
    throw new OperatorError((error as Error).message);
  }
}

/** `name:public key`, as `holder-key` prints it. */
function parseHolder(text: string): { name: string; publicKey: Buffer } {
  const match = /^([^:]+):(04[0-9a-f]{128})$/i.exec(text);
  if (!match)
    throw new OperatorError(`--holder: expected what holder-key printed (name:04…), got ${text.slice(0, 60)}`);
  return { name: match[1] as string, publicKey: Buffer.from(match[2] as string, 'hex') };
}

/** Hash of the newest manifest in the enclave's folder: of the sealing in force, or of the one that the next start takes. */
function presentManifest(folder: string): Buffer | null {
  for (const name of ['sealing.next', 'sealing']) {
    const path = join(folder, name);
    if (!existsSync(path)) continue;
    try {
      const { provider, manifest } = decode(readFileSync(path)) as { [name: string]: Cbor };
      if (provider !== 'quorum-shares') continue;
      readManifest(manifest as Uint8Array);
      return manifestHash(manifest as Uint8Array);
    } catch (error) {
      throw new OperatorError(`${path} cannot be read: ${(error as Error).message}`);
    }
  }
  return null;
}
