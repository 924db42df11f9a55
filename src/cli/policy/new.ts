import { parseArgs } from 'node:util';
import { templates } from '../../policy/templates.ts';
import { OperatorError } from '../operator-error.ts';
import { print } from './arguments.ts';
import type { PolicyCommand } from './command.ts';

const help = [
  'usage: countersign policy new --template NAME',
  '',
  'Prints policies to start from with cases that show what they do, as a file for `policy test` and `policy check`.',
  'The standard error says what to change. Templates:',
  '',
  ...Object.entries(templates).map(([name, { summary }]) => `  ${name.padEnd(27)}${summary}`),
].join('\n');

export const newCommand: PolicyCommand = {
  help,
  run(args) {
    const { template: name = '' } = parseArgs({ args: [...args], options: { template: { type: 'string' } } }).values;
    const template = Object.hasOwn(templates, name) ? templates[name] : undefined;
    if (!template) throw new OperatorError(help);
    process.stderr.write(`put yours in place of: ${template.change}\n`);
    print(JSON.stringify(template.file, null, 2));
  },
};
