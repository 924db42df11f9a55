/** A software TPM in a process of its own, on a Unix socket in a folder that a test may copy and restore. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export const hasSwtpm = spawnSync('swtpm', ['--version']).status === 0;

export type SoftwareTpm = {
  readonly socket: string;
  /** Ends it as a power cut does and starts it anew, on its own state or on that of `from`. */
  restart(from?: string): Promise<void>;
  /** A copy of its state, taken while it is stopped. */
  snapshot(): Promise<string>;
  remove(): Promise<void>;
};

export async function startSwtpm(): Promise<SoftwareTpm> {
  const folder = mkdtempSync(join(tmpdir(), 'swtpm-'));
  const state = join(folder, 'state');
  const socket = join(folder, 'tpm.sock');
  mkdirSync(state);
  let child: ChildProcess;
  const start = async () => {
    rmSync(socket, { force: true });
    const flags = ['--flags', 'not-need-init,startup-clear'];
    const server = ['--server', `type=unixio,path=${socket}`, '--ctrl', `type=unixio,path=${socket}.ctrl`];
    child = spawn('swtpm', ['socket', '--tpm2', '--tpmstate', `dir=${state}`, ...server, ...flags], {
      stdio: 'ignore',
    });
    for (let tries = 0; !existsSync(socket); tries++) {
      if (tries > 500 || child.exitCode !== null) throw new Error('swtpm did not start');
      await sleep(10);
    }
  };
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
    // Who was connected hears of it first.
    await sleep(20);
  };
  await start();
  let copies = 0;
  return {
    socket,
    async restart(from) {
      await stop();
      if (from) {
        rmSync(state, { recursive: true });
        cpSync(from, state, { recursive: true });
      }
      await start();
    },
    async snapshot() {
      const copy = join(folder, `copy-${copies++}`);
      await stop();
      cpSync(state, copy, { recursive: true });
      await start();
      return copy;
    },
    async remove() {
      await stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
