import { parseCel } from './cel/parse.ts';
import { type Checked, check } from './check.ts';
import { compile, type Program } from './compile.ts';
import { PolicyError } from './errors.ts';
import type { Language } from './syntax.ts';
import { parseTurnkey } from './turnkey/parse.ts';
import type { Schema, Type } from './types.ts';

export type Compiled = { readonly language: Language; readonly checked: Checked; readonly program: Program };

type Options = { readonly language?: Language; readonly schema: Schema; readonly expected: Type };

/**
 * Parses, checks and compiles. Without `language`: Turnkey's if the text parses and checks in it, otherwise CEL. Throws
 * {@link PolicyError} of the front end that got further.
 */
export function compileText(source: string, options: Options): Compiled {
  const checked = checkText(source, options);
  return { language: checked.language, checked, program: compile(checked) };
}

/** The same without compiling. */
export function checkText(source: string, { language, schema, expected }: Options): Checked {
  const attempt = (candidate: Language): Checked => {
    const tree = candidate === 'cel' ? parseCel(source) : parseTurnkey(source);
    return check(tree, candidate, schema, expected);
  };
  if (language !== undefined) return attempt(language);
  return either(
    () => attempt('turnkey'),
    () => attempt('cel'),
  );
}

function either(first: () => Checked, second: () => Checked): Checked {
  try {
    return first();
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    try {
      return second();
    } catch (other) {
      if (!(other instanceof PolicyError)) throw other;
      throw gotFurther(other, error) ? other : error;
    }
  }
}

function gotFurther(a: PolicyError, b: PolicyError): boolean {
  if (a.stage !== b.stage) return a.stage === 'check';
  if (a.stage === 'check') return a.problems.length < b.problems.length;
  return (a.problems[0]?.span.start ?? 0) > (b.problems[0]?.span.start ?? 0);
}
