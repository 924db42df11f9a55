/**
 * The anchor with others: witnesses that cosign each checkpoint, if it goes on from the one that they cosigned before. What a
 * quorum has cosigned cannot be taken back by whoever owns this machine (DESIGN §5). The enclave has no network: `api` carries.
 */
import { base64 } from '@scure/base';
import { parseNote, verifyNote } from '../../protocol/log/signed-note.ts';
import { isQuorum, type Witness, type WitnessPolicy } from '../../protocol/witness-policy.ts';
import { AnchorError, type AnchoredState, type Confirmer } from './anchor.ts';
import { meaningOf } from './witness-answer.ts';

/** Carries a checkpoint to a witness. What it resolves to is not to be believed. */
export type WitnessPort = (submission: {
  url: string;
  old: number;
  size: number;
  checkpoint: string;
}) => Promise<{ status: number; body: string }>;

/** Largest difference between a witness's clock and ours, in ms. */
export const largestSkew = 5 * 60 * 1000;
/** Milliseconds that a start waits for the witnesses that it could do without. */
const grace = 5000;
const firstPause = 100;
const longestPause = 2000;
/** Answers that one attempt follows: sizes may change in between, but not for ever. */
const mostAnswers = 4;

type Cosignature = { readonly line: string; readonly time: number };

/** A checkpoint on its way to the witnesses. */
type Round = {
  readonly state: AnchoredState;
  readonly cosigned: Map<string, Cosignature>;
  /** Who has been asked once, whatever came of it. */
  readonly asked: Set<string>;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
};

/** `now`: Unix ms. */
export function witnessAnchor(policy: WitnessPolicy, port: WitnessPort, now: () => number): Confirmer {
  const sizes = new Map<string, number>();
  const troubles = new Map<string, string>();
  const busy = new Set<string>();
  let round: Round | undefined;
  let fork: AnchorError | undefined;
  let time = 0;

  /** Resolves to the quorum's cosignatures of the checkpoint of `state`; waits for them as long as it takes. */
  async function collect(state: AnchoredState): Promise<readonly Cosignature[]> {
    if (fork) throw fork;
    const cosigned = new Map<string, Cosignature>();
    await new Promise<void>((resolve, reject) => {
      round = { state, cosigned, asked: new Set(), resolve, reject };
      for (const witness of policy.witnesses) void follow(witness);
    });
    const found = [...cosigned.values()];
    // Lower half: what a witness alone says does not move the time.
    const times = found.map((each) => each.time).sort((a, b) => a - b);
    time = Math.max(time, times[Math.floor((times.length - 1) / 2)] ?? 0);
    return found;
  }

  /** Submits to one witness what is wanted, one after another; while it is slow, only the newest of what came meanwhile. */
  async function follow(witness: Witness): Promise<void> {
    if (busy.has(witness.name)) return;
    busy.add(witness.name);
    let pause = firstPause;
    for (let wanted = round; wanted && !wanted.cosigned.has(witness.name) && !fork; wanted = round) {
      const trouble = await submit(witness, wanted).catch((error: Error) => {
        if (!(error instanceof AnchorError)) return error.message;
        fork = error;
        wanted.reject(error);
        round?.reject(error);
        return error.message;
      });
      wanted.asked.add(witness.name);
      if (trouble === null) {
        troubles.delete(witness.name);
        pause = firstPause;
      } else {
        troubles.set(witness.name, trouble);
        // Of a round that is over there is nothing to be had any more; the next one asks again.
        if (isQuorum(policy.quorum, new Set(wanted.cosigned.keys())) && round === wanted) break;
        await new Promise((resolve) => setTimeout(resolve, pause).unref());
        pause = Math.min(2 * pause, longestPause);
      }
    }
    busy.delete(witness.name);
  }

  /** null when it cosigned; otherwise why not. Throws an `AnchorError` when it has seen another history. */
  async function submit(witness: Witness, wanted: Round): Promise<string | null> {
    const { logSize: size, checkpoint } = wanted.state;
    let old = Math.min(sizes.get(witness.name) ?? 0, size);
    for (let answers = 0; answers < mostAnswers; answers++) {
      const answer = await port({ url: witness.url, old, size, checkpoint });
      const meaning = meaningOf({ old, size }, answer);
      switch (meaning.meaning) {
        case 'again':
          old = meaning.old;
          break;
        case 'trouble':
          return meaning.reason;
        case 'ahead':
          throw new AnchorError(
            `FORK_DETECTED: witness ${witness.name} has cosigned this log with ${meaning.size} entries, and here it has ${size}: the database was restored to an earlier state, or another enclave writes the same log`,
          );
        case 'fork':
          throw new AnchorError(
            `FORK_DETECTED: witness ${witness.name} has cosigned another history of this log of ${old} entries: the database was restored and went on, or another enclave writes the same log`,
          );
        case 'cosigned': {
          const cosignature = await verified(witness, checkpoint, answer.body);
          const skew = cosignature.time - now();
          if (Math.abs(skew) > largestSkew) {
            const minutes = Math.round(Math.abs(skew) / 60_000);
            return `its clock is ${minutes} minutes ${skew > 0 ? 'ahead of' : 'behind'} this machine’s: set the one that is wrong`;
          }
          sizes.set(witness.name, size);
          wanted.cosigned.set(witness.name, cosignature);
          if (isQuorum(policy.quorum, new Set(wanted.cosigned.keys()))) wanted.resolve();
          return null;
        }
      }
    }
    return 'names another size at each answer';
  }

  return {
    name: 'witness',
    /** The newest state that the database shows must go on from what each witness has seen; this also tells the time. */
    async verify(states) {
      // What was said before the operator did something about it.
      fork = undefined;
      sizes.clear();
      await collect(states.at(-1) as AnchoredState);
      // A quorum is enough to go on, but what one of the others has seen and the database hides would be lost to it for good.
      const all = policy.witnesses.length;
      for (const until = performance.now() + grace; performance.now() < until && (round?.asked.size ?? all) < all; ) {
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      if (fork) throw fork;
    },
    async confirm(state) {
      const cosignatures = await collect(state);
      return { ...state, checkpoint: state.checkpoint + cosignatures.map(({ line }) => line).join('') };
    },
    time: () => time,
    waitsFor() {
      if (!round || isQuorum(policy.quorum, new Set(round.cosigned.keys()))) return null;
      const { cosigned } = round;
      const missing = policy.witnesses
        .filter(({ name }) => !cosigned.has(name))
        .map(({ name }) => `${name} ${troubles.get(name) ?? 'has not answered yet'}`);
      return `FRESHNESS_UNAVAILABLE: too few witnesses cosign the log: ${missing.join('; ')}`;
    },
  };
}

/** The witness's own line of an answer. Throws where it is missing or wrong. */
async function verified({ key }: Witness, checkpoint: string, body: string): Promise<Cosignature> {
  const note = parseNote(checkpoint + body);
  // With an empty line in the answer it would be the signature of another text, and wrong for whoever verifies ours.
  if (note.text !== parseNote(checkpoint).text) throw new Error('answered with more than signatures');
  const [signer] = (await verifyNote(note, [key])).slice(-1);
  const line = note.signatures.findLast(
    ({ name, id }) => name === key.name && Buffer.compare(Buffer.from(id), Buffer.from(key.id)) === 0,
  );
  if (!signer?.time || !line) throw new Error('answered without a cosignature of its key');
  const signature = base64.encode(Buffer.concat([line.id, line.signature]));
  return { line: `\u2014 ${key.name} ${signature}\n`, time: signer.time * 1000 };
}
