#!/usr/bin/env node
/** `node bin/run.mjs <file.ts | command of a package> [arguments]`: runs it under Node 24. */
import { existsSync, realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { checkout, ensureInstalled } from './installed.mjs';
import { runNode24 } from './run-node24.mjs';

const [name, ...args] = process.argv.slice(2);
if (!name) {
  process.stderr.write('usage: node bin/run.mjs <file.ts | command of a package> [arguments]\n');
  process.exit(2);
}
ensureInstalled();
const command = join(checkout, 'node_modules', '.bin', name);
const file = existsSync(command) ? realpathSync(command) : resolve(name);
if (!existsSync(file)) {
  process.stderr.write(`countersign: there is no command \`${name}\` in node_modules and no file ${file}\n`);
  process.exit(2);
}
runNode24([file, ...args]);
