import { describeFacts, type FactRow } from '../../policy/describe-facts.ts';
import type { ClauseName } from '../../policy/policy-set.ts';
import { OperatorError } from '../operator-error.ts';
import { print } from './arguments.ts';
import type { PolicyCommand } from './command.ts';

const help = `usage: countersign policy facts [PREFIX]

Prints what the clauses of a policy may name, with types: all of it, or what begins with PREFIX, such as eth.tx.

  namespace   only some activities carry it; naming it elsewhere is an error that never allows
  optional    may be absent: CEL asks with has()
  CEL         Turnkey's language does not have it`;

const clauses: readonly ClauseName[] = ['condition', 'consensus', 'time'];

export const factsCommand: PolicyCommand = {
  help,
  run([prefix = '', ...others]) {
    if (others.length > 0) throw new OperatorError(help);
    const sections = clauses.flatMap((clause) => {
      const rows = describeFacts(clause).filter(({ path }) => path.startsWith(prefix));
      return rows.length > 0 ? [`${clause}\n${table(rows)}`] : [];
    });
    if (sections.length === 0) throw new OperatorError(`nothing begins with ${prefix}`);
    print(sections.join('\n\n'));
  },
};

function table(rows: readonly FactRow[]): string {
  const width = Math.max(...rows.map(({ path }) => path.length));
  const typeWidth = Math.max(...rows.map(({ type }) => type.length));
  return rows
    .map((row) => `  ${row.path.padEnd(width)}  ${row.type.padEnd(typeWidth)}  ${row.description}${notesOf(row)}`)
    .join('\n');
}

function notesOf({ namespace, optional, celOnly }: FactRow): string {
  const notes = [...(namespace ? ['namespace'] : []), ...(optional ? ['optional'] : []), ...(celOnly ? ['CEL'] : [])];
  return notes.length > 0 ? ` (${notes.join(', ')})` : '';
}
