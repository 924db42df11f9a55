/** Answers the one question that it was started with. */
import { parentPort, workerData } from 'node:worker_threads';
import { PolicyError } from '../errors.ts';
import { compilePolicy, InvalidPolicyError } from '../policy-set.ts';
import type { Message, Question } from './analyse.ts';
import { can, compileQuestion } from './can.ts';
import { compare } from './compare.ts';
import { findUnused } from './unused.ts';

const { question, timeLimit } = workerData as { readonly question: Question; readonly timeLimit: number };
const say = (message: Message): void => parentPort?.postMessage(message);

try {
  say({ answer: await answerTo(question) });
} catch (error) {
  if (!(error instanceof PolicyError || error instanceof InvalidPolicyError)) throw error;
  say({ problem: error.message });
}

function answerTo(asked: Question) {
  switch (asked.ask) {
    case 'compare':
      return compare(asked.before.map(compilePolicy), asked.after.map(compilePolicy), timeLimit);
    case 'can':
      return can(
        asked.policies.map(compilePolicy),
        compileQuestion(asked.what),
        compileQuestion(asked.unless),
        timeLimit,
      );
    case 'unused':
      return findUnused(asked.policies.map(compilePolicy), timeLimit, (finding) => say({ finding }));
  }
}
