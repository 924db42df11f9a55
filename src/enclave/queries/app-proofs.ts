import { CountersignError } from '../../protocol/errors.ts';

/** Turnkey's clients verify the answers of these against documents of AWS Nitro, which name QuorumOS manifests. */
const names = ['list_app_proofs', 'get_boot_proof', 'get_latest_boot_proof'];

/** Why there is no query `name`: an answer to these that no hardware stands behind would only look like a proof. */
export function noQuery(name: string): CountersignError {
  if (!names.includes(name)) {
    return new CountersignError('UNIMPLEMENTED', `no query \`${name.slice(0, 100)}\``, { status: 404 });
  }
  return new CountersignError(
    'UNIMPLEMENTED',
    'app proofs of Turnkey are not made here: their boot proof is a document of AWS Nitro; use `get_receipt` and `GET /attestation`',
    { reason: 'APP_PROOFS_UNAVAILABLE' },
  );
}
