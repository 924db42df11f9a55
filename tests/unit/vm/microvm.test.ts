import { describe, expect, test } from 'vitest';
import type { Host } from '../../../src/cli/host.ts';
import { readSettings } from '../../../src/cli/settings.ts';
import { openMicrovm } from '../../../src/cli/vm/microvm.ts';
import { enclaveDevices, machine } from '../../../src/cli/vm/qemu.ts';

describe('a microVM', () => {
  test.skipIf(process.platform !== 'linux' || process.arch !== 'x64')(
    'says what to install where QEMU is missing',
    async () => {
      const host = { dataDir: '/nowhere', isolation: { tools: {} } } as unknown as Host;
      await expect(openMicrovm(host)).rejects.toThrow(
        'COUNTERSIGN_ENCLAVE=microvm needs qemu-system-x86_64; install it (Debian: apt-get install qemu-system-x86)',
      );
    },
  );

  test('has the stream and the folder, and no other device', () => {
    const image = { kernel: 'kernel', initramfs: 'initramfs' };
    const line = [...machine('qemu', image, 'tcg'), ...enclaveDevices('/data/a,b', 'fd=3')];
    const devices = line.filter((_, index) => line[index - 1] === '-device').map((device) => device.split(',')[0]);
    expect(devices).toEqual(['virtio-serial-pci', 'virtserialport', 'virtio-9p-pci', 'isa-debug-exit']);
    expect(line).toContain('-nodefaults');
    // A comma would end the value, and begin an option.
    expect(line).toContain('local,id=folder,path=/data/a,,b,security_model=none');
  });

  test.each([
    [{ COUNTERSIGN_SEALING: 'tpm2' }, 'tpm2'],
    [{ COUNTERSIGN_ANCHOR: 'file+tpm2' }, 'tpm2'],
    [{ COUNTERSIGN_SEALING: 'dstack' }, 'dstack'],
  ])('is refused with %o, which it does not reach', (more, name) => {
    expect(() => readSettings({ COUNTERSIGN_ENCLAVE: 'microvm', ...more })).toThrow(
      `COUNTERSIGN_ENCLAVE: expected process with ${name}, which a microVM does not reach, got "microvm"`,
    );
    expect(() => readSettings({ COUNTERSIGN_ENCLAVE: 'microvm' })).not.toThrow();
  });
});
