/** The command line of the microVM. */

import { guestFolder } from './guest.ts';
import type { Image } from './image.ts';

export type Accelerator = 'kvm' | 'tcg';

/** Words of the kernel's command line for QEMU's machine; `quiet` leaves warnings. */
const kernelWords = ['console=ttyS0', 'quiet', 'panic=-1', 'random.trust_cpu=on'];

/** Megabytes that the machine may use; it takes from the host what it has used once. */
const memory = 2048;

/** The machine alone: no network, no disk, no display, nothing that it was not given. What it prints is QEMU's output. */
export function machine(
  qemu: string,
  image: Pick<Image, 'kernel' | 'initramfs'>,
  accelerator: Accelerator,
  ...words: string[]
): string[] {
  return [
    qemu,
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
    ...['-machine', 'q35', '-accel', accelerator, '-cpu', accelerator === 'kvm' ? 'host' : 'max'],
    // Emulated processors wait for each other.
    ...['-smp', accelerator === 'kvm' ? '2' : '1', '-m', String(memory)],
    ...['-kernel', image.kernel, '-initrd', image.initramfs, '-append', [...kernelWords, ...words].join(' ')],
    ...['-chardev', 'stdio,id=console,signal=off', '-serial', 'chardev:console'],
    // Nothing that QEMU itself could need later: no new programs, no other users.
    ...['-sandbox', 'on,obsolete=deny,elevateprivileges=deny,spawn=deny'],
  ];
}

/** The devices of an enclave: its folder, the stream to api, and a way to say that it failed. */
export function enclaveDevices(folder: string, stream: string): string[] {
  return [
    ...['-device', 'virtio-serial-pci', '-chardev', `socket,id=api,${stream}`],
    ...['-device', 'virtserialport,chardev=api,name=api'],
    ...['-fsdev', `local,id=folder,path=${commas(folder)},security_model=none`],
    ...['-device', `virtio-9p-pci,fsdev=folder,mount_tag=${guestFolder.slice(1)}`],
    ...['-device', 'isa-debug-exit,iobase=0xf4,iosize=0x4'],
  ];
}

/** QEMU's options are separated by commas; one in a value is doubled. */
const commas = (value: string): string => value.replaceAll(',', ',,');
