import { explainFile } from '../../policy/explain-file.ts';
import { readJson } from '../read-json.ts';
import { fileArgument, print } from './arguments.ts';
import type { PolicyCommand } from './command.ts';
import { casesHelp } from './decide.ts';

const help = `usage: countersign policy explain FILE

Says for each case of FILE what was decided, by which policy, and by which sub-expressions and values. FILE is as
\`policy decide\` takes it:

${casesHelp}`;

export const explainCommand: PolicyCommand = {
  help,
  run(args) {
    const explained = explainFile(readJson(fileArgument(args, help)));
    print(explained.map(({ id, text }) => `${id}: ${text}`).join('\n\n'));
  },
};
