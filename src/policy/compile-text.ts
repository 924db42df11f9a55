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
      throw celGotFurther(other, error) ? other : error;
    }
  }
}

/** Whether CEL's front end did, or the text names what only CEL has, so that its author meant CEL. */
function celGotFurther(cel: PolicyError, turnkey: PolicyError): boolean {
  if (cel.stage !== turnkey.stage) return cel.stage === 'check';
  if (cel.stage === 'parse') return (cel.problems[0]?.span.start ?? 0) > (turnkey.problems[0]?.span.start ?? 0);
  return cel.problems.length < turnkey.problems.length || turnkey.problems.some(({ onlyInCel }) => onlyInCel);
}
