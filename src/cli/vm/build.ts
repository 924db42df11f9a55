/** `countersign vm build`: the image of the microVM as files, with what identifies it, and as an image for AWS Nitro. */
import { createHash } from 'node:crypto';
import { mkdirSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { codeOf, OperatorError } from '../operator-error.ts';
import { cpio } from './cpio.ts';
import { type Eif, pcrsOf, writeEif } from './eif.ts';
import { needBusybox } from './image.ts';
import { type Additions, initramfs } from './initramfs.ts';
import { findKernel } from './kernel.ts';

export const buildHelp = `usage: countersign vm build [--out FOLDER] [--kernel FILE --boot FILE] [--add PATH=FILE]…

Builds the image that the enclave runs from with COUNTERSIGN_ENCLAVE=microvm, and prints what identifies it: SHA-384 of its
parts, the measurement of the code in it, and PCR0, PCR1 and PCR2 as AWS Nitro would measure it. The same sources, packages,
kernel and system libraries give the same bytes, wherever they lie.

  --out FOLDER     writes kernel, boot.cpio, application.cpio and enclave.eif there
  --kernel FILE    another kernel than this machine's, a bzImage, with
  --boot FILE      the archive that starts the machine (see deploy/nitro)
  --add PATH=FILE  adds an executable file to the application's file system`;

/** That of Nitro's own tools, so that the registers are those of what boots there. */
export const nitroCmdline = 'reboot=k panic=30 pci=off nomodules console=ttyS0 random.trust_cpu=on root=/dev/ram0';

export function buildVm(args: readonly string[]): void {
  const { values } = parseArgs({
    args: [...args],
    options: {
      out: { type: 'string' },
      kernel: { type: 'string' },
      boot: { type: 'string' },
      add: { type: 'string', multiple: true },
    },
  });
  if ((values.kernel === undefined) !== (values.boot === undefined)) {
    throw new OperatorError(
      '--kernel and --boot: expected both or neither, for the one loads the drivers of the other',
    );
  }
  const machine = findKernel();
  const { boot, application, measurement } = initramfs(machine, needBusybox(), parseAdditions(values.add ?? []));
  const eif: Eif = {
    kernel: read('--kernel', values.kernel ?? machine.image),
    cmdline: nitroCmdline,
    ramdisks: [
      values.boot === undefined ? Buffer.concat([...cpio(boot)]) : read('--boot', values.boot),
      Buffer.concat([...cpio(application)]),
    ],
  };
  const parts = { kernel: eif.kernel, 'boot.cpio': eif.ramdisks[0], 'application.cpio': eif.ramdisks[1] };
  if (values.out !== undefined) writeAll(values.out, eif, parts);
  const digests = Object.entries(parts).map(([name, bytes]) => [name, sha384(bytes as Uint8Array)] as const);
  const lines = [...digests, ['measurement', measurement], ...Object.entries(pcrsOf(eif))] as const;
  for (const [name, digest] of lines) process.stdout.write(`${name.padEnd(18)}${digest}\n`);
}

function writeAll(folder: string, eif: Eif, parts: Readonly<Record<string, Uint8Array | undefined>>): void {
  mkdirSync(folder, { recursive: true });
  for (const [name, bytes] of Object.entries(parts)) writeFileSync(join(folder, name), bytes as Uint8Array);
  // Whoever builds it again gets the same: no time, no name of the machine.
  const file = openSync(join(folder, 'enclave.eif'), 'w');
  for (const part of writeEif(eif, { ImageName: 'countersign', ImageVersion: '1' })) {
    for (let at = 0; at < part.length; ) at += writeSync(file, part, at);
  }
}

function parseAdditions(given: readonly string[]): Additions {
  return Object.fromEntries(
    given.map((text) => {
      const [path = '', from, ...rest] = text.split('=');
      if (!from || rest.length > 0 || !/^[\w.-]+$/.test(path)) {
        throw new OperatorError(`--add: expected a file name, "=" and a file, got ${JSON.stringify(text)}`);
      }
      read('--add', from);
      return [path, from];
    }),
  );
}

function read(option: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new OperatorError(`${option}: ${path} cannot be read (${codeOf(error)})`);
  }
}

const sha384 = (bytes: Uint8Array): string => createHash('sha384').update(bytes).digest('hex');
