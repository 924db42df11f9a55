/** Who signed for a state of the log: the enclave of a boot statement, and the log's own key, by a checkpoint. */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { base64urlnopad } from '@scure/base';
import { type Bound, type Checkpoint, parseCheckpoint, parseExtensions } from '../../../src/protocol/log/checkpoint.ts';
import { NoteError, parseNote, parseVerifierKey, verifyNote } from '../../../src/protocol/log/signed-note.ts';
import { equalBytes } from '../../../src/protocol/log/tree.ts';
import { type BootStatement, readStatement } from './read-receipt.ts';
import { date, type Step } from './step.ts';

/** What is known of the service from elsewhere, as far as it is. */
export type Trusted = {
  /** Verifier key of the log, from a source that one trusts. */
  readonly logKey?: string;
  /** The boot statement that `GET /attestation` gave, once its evidence was verified. */
  readonly knownStatement?: Uint8Array | string;
  /** SHA-384 in hex of the enclave's code: those that one accepts. */
  readonly measurements?: readonly string[];
};

export type SignedState = {
  readonly note: string;
  readonly checkpoint: Checkpoint;
  readonly bound: Bound;
  readonly encodedStatement: Uint8Array;
  readonly statement: BootStatement;
  /** SHA-256 of the statement. */
  readonly boot: Uint8Array;
  /** Key id and issuer of the signature: the boot id, and the verifier key of the log. */
  readonly kid: Uint8Array;
  readonly issuer: string;
};

/** Throws a `NoteError` or a `ReceiptError`. */
export function readSignedState(
  { checkpoint: note, statement: encodedStatement }: { readonly checkpoint: string; readonly statement: Uint8Array },
  { kid, issuer }: Pick<SignedState, 'kid' | 'issuer'>,
): SignedState {
  const checkpoint = parseCheckpoint(parseNote(note).text);
  const bound = parseExtensions(checkpoint.extensions);
  const statement = readStatement(encodedStatement);
  return { note, checkpoint, bound, encodedStatement, statement, boot: sha256(encodedStatement), kid, issuer };
}

export async function checkpointStep(
  { note, checkpoint, bound, issuer }: SignedState,
  { logKey }: Trusted,
): Promise<Step> {
  const failed = (words: string): Step => ({ name: 'checkpoint', ok: false, words });
  if (logKey !== undefined && logKey.trim() !== issuer) return failed(`it is of another log: its key is ${issuer}`);
  try {
    const key = parseVerifierKey(issuer);
    if (key.name !== checkpoint.origin)
      return failed(`the checkpoint is of ${checkpoint.origin}, the key of ${key.name}`);
    await verifyNote(parseNote(note), [key]);
  } catch (error) {
    if (!(error instanceof NoteError)) throw error;
    return failed(`the log did not sign this checkpoint: ${error.message}`);
  }
  const restored = bound.epoch > 0 ? ` in epoch ${bound.epoch}` : '';
  return {
    name: 'checkpoint',
    // Whoever makes a receipt up makes up a log and its key as well.
    ok: logKey === undefined ? null : true,
    words: `the log’s key signed the checkpoint of batch ${bound.batch}${restored}; the key is ${logKey === undefined ? `${issuer}, which nothing was given to compare with` : 'the one that was given'}`,
  };
}

/** `decidedBy`: boot id of the enclave that did what is claimed. */
export function enclaveStep(
  state: SignedState,
  { knownStatement, measurements }: Trusted,
  decidedBy: Uint8Array,
): Step {
  const { encodedStatement, statement, boot, kid, bound } = state;
  const failed = (words: string): Step => ({ name: 'enclave', ok: false, words });
  if (!equalBytes(boot, kid)) return failed('the statement is not of the enclave that signed');
  if (!equalBytes(boot, bound.enclave)) return failed('the checkpoint is of another enclave');
  if (!equalBytes(statement.settings, bound.settings)) return failed('the settings in force were others than stated');
  const known = knownStatement instanceof Uint8Array ? base64urlnopad.encode(knownStatement) : knownStatement?.trim();
  if (known !== undefined && known !== base64urlnopad.encode(encodedStatement))
    return failed(
      'another start of the enclave signed it than the one that was given: `get_receipt` gives one that the present one signs',
    );
  const code = bytesToHex(statement.measurement);
  if (measurements && !measurements.includes(code)) return failed(`the enclave ran other code: measurement ${code}`);
  const decided = equalBytes(decidedBy, boot)
    ? 'decided'
    : `vouches for what start ${bytesToHex(decidedBy)} of it decided`;
  const { version, sealing, anchor, isolation } = statement;
  return {
    name: 'enclave',
    ok: known || measurements ? true : null,
    words: `enclave ${bytesToHex(boot)} ${decided}: version ${version}, code ${code}, sealing ${sealing}, anchor ${anchor}, isolation ${isolation}, started ${date(statement.time)}${known ? '; it is the one that was given' : ''}`,
  };
}
