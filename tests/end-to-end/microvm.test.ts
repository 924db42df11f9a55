/** The enclave in a virtual machine (COUNTERSIGN_ENCLAVE=microvm): the same service, through a kill of the machine. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { freePort } from '../../src/cli/port.ts';
import { readRootFile } from '../../src/cli/root-file.ts';
import { findTools } from '../../src/cli/tools.ts';
import { findKernel } from '../../src/cli/vm/kernel.ts';
import { healthyAgain, type Launched, launch, leftOf } from './launch.ts';
import { carryOut, createUser, payloadOf, prepareActivity, resultOf, signRawPayload } from './requests.ts';

/** Emulated, a machine takes some 35 s of a processor to start, of which tests that run beside may leave little. */
const bootMs = 150_000;

const missing = (() => {
  if (!process.env.COUNTERSIGN_TEST_MICROVM) return ' (skipped: slow; COUNTERSIGN_TEST_MICROVM=1 runs it)';
  const { busybox, 'qemu-system-x86_64': qemu } = findTools();
  if (!qemu || !busybox) return ' (skipped: QEMU or busybox is not installed)';
  try {
    findKernel();
    return '';
  } catch {
    return ' (skipped: there is no kernel with 9p)';
  }
})();

const dataDir = mkdtempSync(join(tmpdir(), 'countersign-microvm-'));
let service: Launched | undefined;
afterAll(() => {
  service?.signal('SIGKILL');
  rmSync(dataDir, { recursive: true, force: true, maxRetries: 5 });
});

/** The process of the machine itself, not of what confines it. */
function machineOf({ processes }: Launched): number | undefined {
  return processes().findLast((pid) => /^qemu-system/.test(readFileSync(`/proc/${pid}/comm`, 'utf8')));
}

describe.skipIf(missing)(`an enclave in a microVM${missing}`, { timeout: 3 * bootMs }, () => {
  test('signs, outlives a kill of its machine with all it has answered, and stops in order', async () => {
    const port = await freePort();
    const baseUrl = `http://localhost:${port}`;
    const env = { PORT: String(port), COUNTERSIGN_DATA_DIR: dataDir, COUNTERSIGN_ENCLAVE: 'microvm' };
    service = launch({ env });
    await service.says('isolation: microvm (', bootMs);
    expect(service.output()).toMatch(
      /isolation: microvm \((?:KVM|emulated: slow, no security boundary against the host)\)/,
    );

    const user = await createUser(baseUrl, readRootFile(dataDir));
    const request = prepareActivity(user, signRawPayload, payloadOf(user.address, 'before the kill'));
    const before = await carryOut(baseUrl, request);

    const machine = machineOf(service) as number;
    // No way out but the stream and the folder: no network device, no disk.
    const line = readFileSync(`/proc/${machine}/cmdline`, 'utf8').split('\0');
    expect(line).toContain('-nodefaults');
    expect(line.join(' ')).not.toMatch(/-netdev|-nic |virtio-net|-drive|virtio-blk|hostfwd/);
    process.kill(machine, 'SIGKILL');
    await service.says('enclave ended (', 10_000);
    await healthyAgain(baseUrl, bootMs);
    expect(machineOf(service)).not.toBe(machine);

    expect(await carryOut(baseUrl, request)).toEqual(before);
    const again = prepareActivity(user, signRawPayload, payloadOf(user.address, 'before the kill'), Date.now() + 1);
    // The key is the same: a signature of RFC 6979 over the same digest is too.
    expect(resultOf(await carryOut(baseUrl, again))).toEqual(resultOf(before));
    // The folder is the host's, as without a machine: what backups and orders rely on.
    expect(existsSync(join(dataDir, 'enclave', 'anchor'))).toBe(true);
    expect(readdirSync(join(dataDir, 'enclave', 'orders'))).toEqual([expect.stringMatching(/\.done\.json$/)]);

    const all = service.processes();
    service.signal('SIGTERM');
    expect(await service.ended).toBe(0);
    expect(await leftOf(all, 5000)).toEqual([]);
  });
});
