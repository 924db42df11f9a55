import { RE2JS } from 're2js';
import { invalidPattern, tooLarge } from './failure.ts';
import { maxPatternLength } from './limits.ts';

/** Instructions of the compiled pattern, which a match may run through for each character. */
const maxProgramSize = 1024;
const maxTextLength = 65_536;

/** A matcher of RE2's syntax that takes time linear in the text; finds the pattern anywhere. Throws `Failure`. */
export function compilePattern(pattern: string, caseless = false): (text: string) => boolean {
  if (pattern.length > maxPatternLength) throw invalidPattern;
  let regex: RE2JS;
  try {
    regex = RE2JS.compile(pattern, caseless ? RE2JS.CASE_INSENSITIVE : 0);
  } catch {
    throw invalidPattern;
  }
  if (regex.programSize() > maxProgramSize) throw invalidPattern;
  return (text) => {
    if (text.length > maxTextLength) throw tooLarge;
    return regex.test(text);
  };
}
