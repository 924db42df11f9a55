/** Runs the program under Node 24 in place of this process, as far as the platform allows. Plain JavaScript for Node 20. */
import { spawn } from 'node:child_process';
import { accessSync, constants, mkdirSync } from 'node:fs';
import { constants as os } from 'node:os';
import { delimiter, join } from 'node:path';
import { checkout, node24 } from './installed.mjs';

/** Executes Node 24 with `args`; signals go to it, and its end, by code or signal, becomes this process's. */
export function runNode24(args) {
  const env = { ...process.env, NODE_COMPILE_CACHE: compileCache() };
  if (!env.NODE_COMPILE_CACHE) delete env.NODE_COMPILE_CACHE;
  // Node 22.15 and later can replace themselves, so that nothing stands between.
  if (process.execve && process.platform !== 'win32') process.execve(node24, [node24, ...args], env);

  const [command, ...rest] = [...dieWithParent(), node24, ...args];
  const child = spawn(command, rest, { stdio: 'inherit', env });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2']) {
    process.on(signal, () => child.kill(signal));
  }
  child.on('error', (error) => {
    process.stderr.write(`countersign: ${error.message}\n`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (os.signals[signal] ?? 0)));
}

/** Where `setpriv` is: the child is told to stop when this process is killed and can forward nothing any more. */
function dieWithParent() {
  if (process.platform !== 'linux') return [];
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const tool = join(folder || '.', 'setpriv');
    try {
      accessSync(tool, constants.X_OK);
      return [tool, '--pdeathsig', 'TERM', '--'];
    } catch {
      // Not in this folder.
    }
  }
  return [];
}

/** V8's compile cache, where node_modules can be written; whoever can write there could change the sources as well. */
function compileCache() {
  const folder = join(checkout, 'node_modules', '.cache', 'countersign');
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
    return folder;
  } catch {
    return process.env.NODE_COMPILE_CACHE;
  }
}
