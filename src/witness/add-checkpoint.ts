/** What a witness answers to `add-checkpoint` (C2SP tlog-witness): the checks in the order of the specification. Pure. */
import { type Checkpoint, parseCheckpoint } from '../protocol/log/checkpoint.ts';
import { NoteError, parseNote, type VerifierKey, verifyNote } from '../protocol/log/signed-note.ts';
import { isConsistent } from '../protocol/log/tree.ts';
import { nodeHash } from '../protocol/log-hash.ts';

/** What is remembered of a log: the newest checkpoint that was cosigned. */
export type Seen = { readonly size: number; readonly root: Uint8Array };

export type Submission = {
  readonly old: number;
  readonly proof: readonly Uint8Array[];
  /** What is signed, and so cosigned. */
  readonly text: string;
  readonly note: string;
  readonly checkpoint: Checkpoint;
};

export type Refusal = { readonly status: number; readonly body: string; readonly contentType?: string };

const maxProof = 63;
const emptyRoot = Buffer.from('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', 'hex');

const refuse = (status: number, reason: string): Refusal => ({ status, body: `${reason}\n` });

/** The parts of a request's body, and what is wrong with them otherwise. */
export function parseSubmission(body: string): Submission | Refusal {
  const [head = '', ...rest] = body.split('\n\n');
  const note = rest.join('\n\n');
  const [first = '', ...lines] = head.split('\n');
  const old = /^old (0|[1-9]\d{0,15})$/.exec(first)?.[1];
  if (old === undefined) return refuse(400, 'expected a first line like: old 17');
  if (lines.length > maxProof) return refuse(400, `expected at most ${maxProof} hashes of a proof`);
  const proof = lines.map((line) => Buffer.from(line, 'base64'));
  if (proof.some((hash, at) => hash.length !== 32 || hash.toString('base64') !== lines[at])) {
    return refuse(400, 'expected each hash of the proof as 32 bytes in base64');
  }
  try {
    const { text } = parseNote(note);
    return { old: Number(old), proof, text, note, checkpoint: parseCheckpoint(text) };
  } catch (error) {
    return refuse(400, (error as Error).message);
  }
}

/** Whether one of the log's keys signed; undefined `keys`: nobody knows the log. */
export async function checkSigner(
  { note, checkpoint }: Submission,
  keys: readonly VerifierKey[] | undefined,
): Promise<Refusal | null> {
  if (!keys) return refuse(404, `no log ${checkpoint.origin} is known here`);
  try {
    await verifyNote(parseNote(note), keys);
    return null;
  } catch (error) {
    if (!(error instanceof NoteError)) throw error;
    return refuse(403, error.message);
  }
}

/** Whether the checkpoint goes on from what was seen last. To be followed by keeping it, with nothing in between. */
export function checkHistory({ old, proof, checkpoint }: Submission, seen: Seen | undefined): Refusal | null {
  const { size, root } = checkpoint;
  if (old > size) return refuse(400, `old is ${old} and the checkpoint's size ${size}`);
  const latest = seen?.size ?? 0;
  if (old !== latest) return { status: 409, body: `${latest}\n`, contentType: 'text/x.tlog.size' };
  if (size === 0 && !emptyRoot.equals(root)) return refuse(422, 'an empty log has the empty root');
  const first = { size: old, root: seen?.root ?? emptyRoot };
  if (!isConsistent(nodeHash, first, { size, root }, proof)) {
    return refuse(422, old === size ? 'another root of this size was cosigned' : 'the consistency proof is wrong');
  }
  return null;
}

export const isRefusal = (value: Submission | Refusal): value is Refusal => 'status' in value;
