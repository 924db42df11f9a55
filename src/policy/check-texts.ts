/** Whatever is given as a policy: whether it is one, and if not, what is wrong; and its canonical form. */
import { tokenize } from './cel/tokens.ts';
import { type Compiled, compileText } from './compile-text.ts';
import { locate, PolicyError, type Problem, renderProblem } from './errors.ts';
import { format } from './format.ts';
import { lint } from './lint.ts';
import { type ClauseName, clauseSchemas, type Effect } from './policy-set.ts';
import type { Language, Span } from './syntax.ts';

export type PolicyTexts = {
  readonly effect?: Effect;
  readonly condition?: string;
  readonly consensus?: string;
  readonly time?: string;
  readonly language?: Language;
};

type Place = { readonly span: Span; readonly line: number; readonly column: number };

/** A mistake; `text` is the whole of it with the line and carets under the place. */
export type TextProblem = Place & {
  readonly message: string;
  readonly text: string;
  readonly expected?: string;
  readonly suggestion?: string;
};

export type TextWarning = Place & {
  readonly rule: string;
  readonly clause: ClauseName;
  readonly message: string;
  readonly text: string;
  readonly suggestion?: string;
};

export type ClauseCheck = {
  readonly clause: ClauseName;
  /** Of the text, or of the front end that got further with it. */
  readonly language: Language;
  /** Bound on the steps of one evaluation; absent where there are problems. */
  readonly cost?: number;
  readonly problems: readonly TextProblem[];
};

export type PolicyCheck = {
  readonly valid: boolean;
  readonly clauses: readonly ClauseCheck[];
  readonly warnings: readonly TextWarning[];
};

type Read = { readonly name: ClauseName; readonly source: string } & (
  | { readonly compiled: Compiled }
  | { readonly error: PolicyError }
);

const clauseNames = ['condition', 'consensus', 'time'] as const;

/** Checks types, bounds and common holes; an `effect` that is not given is an allow. Does not throw for any text. */
export function checkTexts(texts: PolicyTexts): PolicyCheck {
  const { effect = 'EFFECT_ALLOW' } = texts;
  const read = readTexts(texts);
  const clauses = read.map((clause): ClauseCheck => {
    const { name, source } = clause;
    if ('error' in clause) return { clause: name, ...problemsOf(clause.error, source) };
    const { language, checked } = clause.compiled;
    return { clause: name, language, cost: checked.cost, problems: [] };
  });
  const right = read.flatMap((clause) =>
    'compiled' in clause ? [{ name: clause.name, checked: clause.compiled.checked }] : [],
  );
  const valid = right.length === read.length;
  const sourceOf = (name: ClauseName): string => read.find((clause) => clause.name === name)?.source ?? '';
  return {
    valid,
    clauses,
    warnings: valid ? lint(effect, right).map((each) => ({ ...each, ...placed(each, sourceOf(each.clause)) })) : [],
  };
}

export type ClauseFormat = {
  readonly clause: ClauseName;
  readonly language: Language;
  /** The canonical form; absent where there are problems. */
  readonly text?: string;
  /** There were comments, which the canonical form does not have. */
  readonly commentsDropped?: true;
  readonly problems: readonly TextProblem[];
};

/** Does not throw for any text. */
export function formatTexts(texts: PolicyTexts): { readonly clauses: readonly ClauseFormat[] } {
  const clauses = readTexts(texts).map((clause): ClauseFormat => {
    const { name, source } = clause;
    if ('error' in clause) return { clause: name, ...problemsOf(clause.error, source) };
    const { language, checked } = clause.compiled;
    const commentsDropped = language === 'cel' && hasComments(source) && { commentsDropped: true as const };
    return { clause: name, language, text: format(checked.tree, language), ...commentsDropped, problems: [] };
  });
  return { clauses };
}

/** Empty clauses are absent ones. */
function readTexts({ language, ...texts }: PolicyTexts): readonly Read[] {
  return clauseNames.flatMap((name): Read[] => {
    const source = texts[name];
    if (source === undefined || source === '') return [];
    try {
      const options = { schema: clauseSchemas[name], expected: { kind: 'bool' } } as const;
      return [{ name, source, compiled: compileText(source, { ...options, ...(language && { language }) }) }];
    } catch (error) {
      if (error instanceof PolicyError) return [{ name, source, error }];
      throw error;
    }
  });
}

const problemsOf = ({ language, problems }: PolicyError, source: string) => ({
  language,
  problems: problems.map((problem): TextProblem => ({ ...problem, ...placed(problem, source) })),
});

const placed = (problem: Problem, source: string) => ({
  span: { start: problem.span.start, end: problem.span.end },
  ...locate(source, problem.span.start),
  text: renderProblem(source, problem),
});

/** In what stands between the tokens. */
function hasComments(source: string): boolean {
  let from = 0;
  return tokenize(source).some(({ span }) => {
    const between = source.slice(from, span.start);
    from = span.end;
    return between.includes('//');
  });
}
