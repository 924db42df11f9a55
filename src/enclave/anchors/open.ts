import { parseWitnessPolicy } from '../../protocol/witness-policy.ts';
import { deriveKey } from '../sealing/seal.ts';
import type { EnclaveSettings } from '../settings.ts';
import type { Anchor, Confirmer } from './anchor.ts';
import { composeAnchor } from './compose.ts';
import type { WitnessPort } from './witness.ts';

/** The anchor of the settings on top of the file. What it does not consist of is not loaded. */
export async function openAnchor(
  { anchor, tpm, witnessPolicy }: Pick<EnclaveSettings, 'anchor' | 'tpm' | 'witnessPolicy'>,
  file: Anchor,
  rootKey: Buffer,
  port: WitnessPort,
): Promise<Anchor> {
  const parts = anchor.split('+');
  const confirmers: Confirmer[] = [];
  // Of two enclaves the witnesses stop the one that has no quorum before it touches the chain in the TPM.
  if (parts.includes('witness')) {
    const { witnessAnchor } = await import('./witness.ts');
    confirmers.push(witnessAnchor(parseWitnessPolicy(witnessPolicy ?? ''), port, Date.now));
  }
  if (parts.includes('tpm2')) {
    const { tpmAnchor } = await import('./tpm.ts');
    confirmers.push(tpmAnchor(tpm ?? '/dev/tpmrm0', deriveKey(rootKey, 'tpmAnchor')));
  }
  return confirmers.length > 0 ? composeAnchor(anchor, file, confirmers) : file;
}
