/**
 * Makes sure that node_modules is what package-lock.json says and that Node 24 is in it. Plain JavaScript for Node 20 and
 * node: modules only: it runs before anything is installed.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const checkout = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(checkout, 'node_modules');
export const node24 = join(modules, 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
/** Holds the digest of the lock file that node_modules was found to match. */
const stamp = join(modules, '.countersign-lock');

/** Installs what is missing; exits with a message when that fails. Costs one hash of the lock file when nothing is. */
export function ensureInstalled() {
  if (Number(process.versions.node.split('.')[0]) < 20) fail(`Node 20 or later is needed, this is ${process.version}`);
  const lockFile = readFileSync(join(checkout, 'package-lock.json'));
  const digest = createHash('sha256').update(lockFile).digest('hex');
  if (textOf(stamp) === digest && existsSync(node24)) return;
  const hidden = textOf(join(modules, '.package-lock.json'));
  if (!hidden || !matches(JSON.parse(lockFile.toString()), JSON.parse(hidden))) {
    say('installing dependencies: npm ci');
    // Its warnings are about Node 20, which runs nothing of this but the installer.
    npm(['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  }
  if (!existsSync(node24)) installNode24();
  try {
    writeFileSync(stamp, digest);
  } catch {
    // A read-only installation is compared in full each time.
  }
}

/** Whether every package of `lock` is in `installed` at its version; packages for other platforms or for development may be missing. */
function matches(lock, installed) {
  return Object.entries(lock.packages).every(([path, wanted]) => {
    if (!path.startsWith('node_modules/') || wanted.link) return true;
    const found = installed.packages[path];
    return found ? found.version === wanted.version : Boolean(wanted.optional || wanted.dev || wanted.devOptional);
  });
}

/** The package `node` fetches the binary in an install script, which npm may have been told to skip. */
function installNode24() {
  say('npm did not run the install script of the package `node`, which fetches Node 24; running it now');
  const { status } = spawnSync(process.execPath, ['installArchSpecificPackage'], {
    cwd: join(modules, 'node'),
    stdio: 'inherit',
  });
  if (status !== 0 || !existsSync(node24)) {
    fail(`could not fetch Node 24 into ${node24}; allow install scripts for the package \`node\` and run \`npm ci\``);
  }
}

function npm(args) {
  const script = process.env.npm_execpath;
  const { error, status } = script?.endsWith('.js')
    ? spawnSync(process.execPath, [script, ...args], { cwd: checkout, stdio: 'inherit' })
    : spawnSync('npm', args, { cwd: checkout, stdio: 'inherit', shell: process.platform === 'win32' });
  if (error?.code === 'ENOENT') fail('npm is not on the PATH; it comes with Node, or run `npm ci` where it is');
  if (error) fail(`npm ${args[0]} did not run: ${error.message}`);
  if (status !== 0) fail(`npm ${args[0]} failed (exit code ${status}); its messages are above`);
}

function textOf(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function say(message) {
  process.stderr.write(`countersign: ${message}\n`);
}

function fail(message) {
  say(message);
  process.exit(1);
}
