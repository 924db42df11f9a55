import { formatTexts } from '../../policy/check-texts.ts';
import { OperatorError } from '../operator-error.ts';
import { readJson } from '../read-json.ts';
import { fileArgument, print } from './arguments.ts';
import type { PolicyCommand } from './command.ts';
import { policiesOf } from './policy-files.ts';

const help = `usage: countersign policy format FILE

Prints the policies of FILE (as \`policy check\` takes it) as a JSON list, their expressions in the canonical form. The
canonical form has no comments: what had some is named on the standard error.`;

export const formatCommand: PolicyCommand = {
  help,
  run(args) {
    const file = fileArgument(args, help);
    const formatted = policiesOf(readJson(file), file).map(({ name, texts, given }) => {
      const { clauses } = formatTexts(texts);
      const wrong = clauses.flatMap(({ clause, problems }) => problems.map(({ text }) => `${name}: ${clause} ${text}`));
      if (wrong.length > 0) throw new OperatorError(wrong.join('\n'));
      for (const { clause, commentsDropped } of clauses) {
        if (commentsDropped) process.stderr.write(`${name}: the comments of ${clause} are dropped\n`);
      }
      return { ...given, ...Object.fromEntries(clauses.map(({ clause, text = '' }) => [clause, text])) };
    });
    print(JSON.stringify(formatted, null, 2));
  },
};
