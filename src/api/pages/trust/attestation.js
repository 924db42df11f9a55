/** Asks the enclave what it is, and checks of the answer what can be checked here, by the code of the SDK. */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { base64urlnopad } from '@scure/base';
import { verifyEvidence } from '../../../../sdk/src/attestation/verify-evidence.ts';
import { readStatement } from '../../../../sdk/src/verify/read-receipt.ts';
import { parseCheckpoint, parseExtensions } from '../../../protocol/log/checkpoint.ts';
import { parseNote, parseVerifierKey, verifyNote } from '../../../protocol/log/signed-note.ts';

/** `GET /attestation` for a nonce of this page's own. */
export async function askAttestation() {
  const nonce = crypto.getRandomValues(new Uint8Array(32));
  const response = await fetch(`/attestation?nonce=${bytesToHex(nonce)}`);
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.message ?? `The service answers with status ${response.status}.`);
  return { nonce, ...answer };
}

/**
 * What `answer` says, and `found`: `[state, what, value?]` for each check, `good` where it holds, `bad` where not, and `open`
 * where nobody can say.
 */
export async function examine(answer) {
  const bytes = base64urlnopad.decode(answer.statement);
  const statement = readStatement(bytes);
  const bootId = bytesToHex(sha256(bytes));
  const found = [
    check(bootId === answer.bootId, 'The boot id is the SHA-256 of what the enclave says of itself', bootId),
  ];
  const log = await examineCheckpoint(answer, statement, bootId, found);
  const proven = await examineEvidence(bytes, answer, found);
  return { statement, bootId, platform: answer.evidence.platform, checkpoint: answer.checkpoint, log, proven, found };
}

const check = (holds, what, value) => [holds ? 'good' : 'bad', what, value];
const hold = (found, ...one) => found.push(check(...one));

async function examineCheckpoint({ checkpoint, verifierKey }, statement, bootId, found) {
  if (!checkpoint) {
    found.push(['open', 'There is no checkpoint yet: the enclave is starting']);
    return undefined;
  }
  try {
    const note = parseNote(checkpoint);
    await verifyNote(note, [parseVerifierKey(verifierKey)]);
    hold(found, true, 'The newest checkpoint is signed by the key of the log', verifierKey);
    const { size, extensions } = parseCheckpoint(note.text);
    const { batch, epoch, enclave, settings } = parseExtensions(extensions);
    hold(found, bytesToHex(enclave) === bootId, 'It is of this very start of the enclave');
    hold(
      found,
      bytesToHex(settings) === bytesToHex(statement.settings),
      'It names the same settings',
      bytesToHex(settings),
    );
    return { size, batch, epoch, cosignatures: note.signatures.length - 1 };
  } catch (error) {
    hold(found, false, `The checkpoint is sound: ${error.message}`);
    return undefined;
  }
}

async function examineEvidence(bytes, { evidence, nonce }, found) {
  try {
    const proven = await verifyEvidence(bytes, evidence, nonce);
    if (!proven) found.push(['open', 'No platform vouches for this enclave: what it is, only its operator says']);
    else for (const { what, value } of proven.checks) hold(found, true, what, value);
    for (const what of proven?.notChecked ?? []) found.push(['open', `Not checked: ${what}`]);
    return proven;
  } catch (error) {
    hold(found, false, `The evidence of the platform is true: ${error.message}${error.code ? ` (${error.code})` : ''}`);
    return null;
  }
}
