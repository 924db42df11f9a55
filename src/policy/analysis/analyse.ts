/** Analysis in a worker, so that the caller goes on, and whatever the solver does ends with the worker. */
import { Worker } from 'node:worker_threads';
import type { PolicySource } from '../policy-set.ts';
import type { Possibility } from './can.ts';
import type { Comparison } from './compare.ts';
import type { PolicyFinding } from './unused.ts';

export type Question =
  | { readonly ask: 'compare'; readonly before: readonly PolicySource[]; readonly after: readonly PolicySource[] }
  | { readonly ask: 'can'; readonly policies: readonly PolicySource[]; readonly what: string; readonly unless: string }
  | { readonly ask: 'unused'; readonly policies: readonly PolicySource[] };

export type AnswerTo = {
  readonly compare: Comparison;
  readonly can: Possibility;
  readonly unused: readonly PolicyFinding[];
};

export type Message =
  | { readonly finding: PolicyFinding }
  | { readonly answer: AnswerTo[Question['ask']] }
  | { readonly problem: string };

export type Options = {
  /** In ms, for each question to the solver. */
  readonly timeLimit?: number;
  /** Told of each policy as soon as `unused` has found something about it. */
  readonly onFinding?: (finding: PolicyFinding) => void;
};

const defaultLimit = 4000;
/** Time limits before a sign of life: one answer may take several questions. */
const patience = 60;

/** Throws an error where the policies or expressions are none, and where the solver does not answer at all. */
export async function analyse<Asked extends Question>(
  question: Asked,
  { timeLimit = defaultLimit, onFinding = () => {} }: Options = {},
): Promise<AnswerTo[Asked['ask']]> {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: { question, timeLimit } });
  let silence: NodeJS.Timeout | undefined;
  try {
    return await new Promise((resolve, reject) => {
      const wait = (): void => {
        clearTimeout(silence);
        silence = setTimeout(() => reject(new Error('the solver does not answer')), patience * timeLimit);
      };
      wait();
      worker.on('error', reject);
      worker.on('exit', () => reject(new Error('the solver has ended without an answer')));
      worker.on('message', (message: Message) => {
        wait();
        if ('finding' in message) onFinding(message.finding);
        else if ('problem' in message) reject(new Error(message.problem));
        else resolve(message.answer as AnswerTo[Asked['ask']]);
      });
    });
  } finally {
    clearTimeout(silence);
    await worker.terminate();
  }
}
