import type { Language, Span } from './syntax.ts';

/** One mistake in a policy's text. */
export type Problem = {
  readonly message: string;
  readonly span: Span;
  /** The type or the token that would have been right. */
  readonly expected?: string;
  /** The name that was probably meant. */
  readonly suggestion?: string;
  /** The name is one of ours, which Turnkey's language does not have. */
  readonly onlyInCel?: true;
};

/** A text that is no policy: it does not parse or does not type-check. The message describes the first problem. */
export class PolicyError extends Error {
  readonly language: Language;
  readonly problems: readonly Problem[];
  /** How far the front end came: a text that parses came further than one that does not. */
  readonly stage: 'parse' | 'check';

  constructor(language: Language, stage: 'parse' | 'check', problems: readonly Problem[]) {
    super(problems[0]?.message ?? 'invalid expression');
    this.name = 'PolicyError';
    this.language = language;
    this.stage = stage;
    this.problems = problems;
  }
}

export type EvaluationCode =
  /** The activity does not carry the namespace that the expression names. */
  | 'namespace-absent'
  | 'missing-field'
  | 'no-such-key'
  | 'index-out-of-range'
  | 'overflow'
  | 'division-by-zero'
  /** Only the data tell the type of a decoded argument, and it is another one. */
  | 'type-mismatch'
  | 'invalid-argument'
  /** The run-time limit on steps or sizes. */
  | 'limit';

/** Why an expression has no value for these facts. */
export class EvaluationError extends Error {
  readonly code: EvaluationCode;
  readonly span: Span;
  /** The absent namespace, such as `eth.tx`. */
  readonly namespace: string | undefined;

  constructor(code: EvaluationCode, message: string, span: Span, namespace?: string) {
    // An outcome like any other, of which there are many: what costs is the stack, and that says nothing about a policy.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(message);
    Error.stackTraceLimit = stackTraceLimit;
    this.name = 'EvaluationError';
    this.code = code;
    this.span = span;
    this.namespace = namespace;
  }
}

/** Line and column of a place, both from 1; the column counts code points. */
export function locate(source: string, offset: number): { line: number; column: number } {
  const before = source.slice(0, offset).split(/\r\n|\r|\n/);
  return { line: before.length, column: Array.from(before.at(-1) ?? '').length + 1 };
}

const maxExcerpt = 160;

/** Text for people: `line:column: message`, the line, carets under the place, what was expected and what may be meant. */
export function renderProblem(source: string, problem: Problem): string {
  const start = Math.min(problem.span.start, source.length);
  const { line, column } = locate(source, start);
  const lineStart = Math.max(source.lastIndexOf('\n', start - 1), source.lastIndexOf('\r', start - 1)) + 1;
  const lineEnd = /[\r\n]|$/.exec(source.slice(start))?.index ?? 0;
  const from = Math.max(lineStart, start - maxExcerpt / 2);
  const text = source.slice(from, Math.min(start + lineEnd, from + maxExcerpt)).replaceAll('\t', ' ');
  const marked = source.slice(start, Math.min(Math.max(problem.span.end, start + 1), from + text.length));
  const carets =
    ' '.repeat(Array.from(source.slice(from, start)).length) + '^'.repeat(Math.max(1, Array.from(marked).length));
  const notes = [
    problem.expected === undefined ? '' : `expected: ${problem.expected}`,
    problem.suggestion === undefined ? '' : `did you mean \`${problem.suggestion}\`?`,
  ].filter((note) => note !== '');
  return [`${line}:${column}: ${problem.message}`, text, carets, ...notes].join('\n');
}
