/** What the enclave asks of `api` beside rows: to carry checkpoints to witnesses, and to hold the database for it alone. */
import type { FromEnclave, ToEnclave } from '../protocol/messages.ts';
import type { WitnessPort } from './anchors/witness.ts';

type Answer = Extract<ToEnclave, { type: 'checkpointAdded' | 'leased' }>;
type Question = Extract<FromEnclave, { type: 'addCheckpoint' | 'lease' }>;

export type ApiAsker = {
  readonly addCheckpoint: WitnessPort;
  /** null once the database is held for the enclave of this boot id; otherwise who holds it. */
  lease(holder: Uint8Array): Promise<string | null>;
  onAnswer(answer: Answer): void;
};

/** Milliseconds after which `api` is taken to have forgotten a checkpoint: longer than it waits for a witness itself. */
const patience = 15_000;

export function createApiAsker(send: (message: FromEnclave) => void): ApiAsker {
  const asked = new Map<number, (answer: Answer) => void>();
  let nextId = 1;
  const ask = (question: (id: number) => Question): { id: number; answer: Promise<Answer> } => {
    const id = nextId++;
    const answer = new Promise<Answer>((resolve) => asked.set(id, resolve));
    send(question(id));
    return { id, answer };
  };
  const onAnswer = (answer: Answer) => {
    asked.get(answer.id)?.(answer);
    asked.delete(answer.id);
  };
  return {
    onAnswer,
    async addCheckpoint(submission) {
      const { id, answer } = ask((id) => ({ type: 'addCheckpoint', id, ...submission }));
      const late = { type: 'checkpointAdded', id, status: 0, body: 'has not answered' } as const;
      const timer = setTimeout(() => onAnswer(late), patience).unref();
      const found = await answer;
      clearTimeout(timer);
      if (found.type !== 'checkpointAdded') return late;
      return { status: Number(found.status), body: String(found.body) };
    },
    async lease(holder) {
      const found = await ask((id) => ({ type: 'lease', id, holder })).answer;
      return found.type === 'leased' ? found.refused : 'api gave no answer';
    },
  };
}
