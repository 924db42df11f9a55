/** Bounds on what a policy may be, so that neither reading nor evaluating one can be made slow. */

/** UTF-16 units; refused before anything reads the text. */
export const maxSourceLength = 8192;
export const maxNodes = 3000;
/** Of the tree. Chains of && and || are balanced, so that only true nesting counts. */
export const maxDepth = 128;
/** Brackets and prefix operators that the parser is inside of. */
export const maxNesting = 64;
export const maxMacroNesting = 3;
export const maxPatternLength = 256;
/** Of the static bound, in steps of some ten nanoseconds. */
export const maxCost = 1_000_000;
/** Calls about the past. */
export const maxWindows = 16;
/** Elements that the macros of one evaluation may visit: a second line behind the static bound. */
export const maxIterations = 1_000_000;
/** Characters or items of a value that an expression builds. */
export const maxBuiltSize = 1_048_576;
