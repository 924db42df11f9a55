import { formatCel } from './cel/format.ts';
import type { Expression, Language } from './syntax.ts';
import { formatTurnkey } from './turnkey/format.ts';

/** The canonical text of a tree; it parses to the same tree. */
export const format = (tree: Expression, language: Language): string =>
  language === 'cel' ? formatCel(tree) : formatTurnkey(tree);
