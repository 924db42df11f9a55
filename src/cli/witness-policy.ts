import { parseWitnessPolicy } from '../protocol/witness-policy.ts';
import { readIfThere } from './files.ts';
import { OperatorError } from './operator-error.ts';
import type { Settings } from './settings.ts';

/** The text of the policy file, which the enclave pins. Throws `OperatorError` with the line that is wrong. */
export function readWitnessPolicy({ witnessPolicy }: Pick<Settings, 'witnessPolicy'>): string {
  const text = witnessPolicy === null ? undefined : readIfThere(witnessPolicy);
  if (text === undefined) throw new OperatorError(`COUNTERSIGN_WITNESS_POLICY: there is no file ${witnessPolicy}`);
  try {
    parseWitnessPolicy(text);
    return text;
  } catch (error) {
    throw new OperatorError(`COUNTERSIGN_WITNESS_POLICY: ${witnessPolicy}, ${(error as Error).message}`);
  }
}
