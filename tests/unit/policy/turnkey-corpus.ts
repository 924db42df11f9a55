import { readFileSync } from 'node:fs';

/** Published expressions of Turnkey's language; `valid` says whether they are right by its documentation. */
export const turnkeyCorpus: readonly {
  readonly id: string;
  readonly kind: 'condition' | 'consensus';
  readonly expression: string;
  readonly valid: boolean;
  readonly note: string;
}[] = JSON.parse(readFileSync(new URL('turnkey-expressions.json', import.meta.url), 'utf8'));
