/** The enclave as a virtual machine: made ready once a start, launched as often as needed. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Confined, confine } from '../confine.ts';
import { readJsonIfThere, replaceFile } from '../files.ts';
import { enclaveFolder, type Host, ownView } from '../host.ts';
import { OperatorError } from '../operator-error.ts';
import { guestFolder, guestPort } from './guest.ts';
import { makeImage } from './image.ts';
import { type Accelerator, enclaveDevices, machine } from './qemu.ts';

export type Microvm = {
  readonly qemu: string;
  readonly accelerator: Accelerator;
  /** Of the enclave's code in the image, in hex. */
  readonly measurement: string;
  /** The kernel and the initramfs, opened here: QEMU's user may read them and not where they lie. */
  readonly files: readonly [kernel: number, initramfs: number];
};

/** Those, to QEMU. */
const [kernelPath, initramfsPath] = ['/proc/self/fd/5', '/proc/self/fd/6'];
const kvm = '/dev/kvm';
const probeMs = 10_000;

/** Makes the image and finds out whether KVM works here. Throws an `OperatorError` where something is not installed. */
export async function openMicrovm(host: Host): Promise<Microvm> {
  const qemu = host.isolation.tools['qemu-system-x86_64'];
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new OperatorError('COUNTERSIGN_ENCLAVE=microvm works on Linux on x86-64 alone; unset it here');
  }
  if (!qemu) {
    throw new OperatorError(
      'COUNTERSIGN_ENCLAVE=microvm needs qemu-system-x86_64; install it (Debian: apt-get install qemu-system-x86)',
    );
  }
  const folder = join(host.dataDir, 'vm');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const image = makeImage(folder);
  const files = [openSync(image.kernel, 'r'), openSync(image.initramfs, 'r')] as const;
  const made = { qemu, files, measurement: image.measurement };
  return { ...made, accelerator: await chooseAccelerator(host, made, folder, image.release) };
}

/** For `start`, and for the enclave's own report of where it runs. */
export const microvmSummary = ({ accelerator }: Microvm): string =>
  accelerator === 'kvm' ? 'microvm (KVM)' : 'microvm (emulated: slow, no security boundary against the host)';

/** The command line of the enclave of `host`, whose stream is descriptor 3, or `socket`, on which it listens. */
export function microvmCommand(host: Host, vm: Microvm, confined: Confined, socket: string | null): string[] {
  const stream = socket ? `path=${socket.replaceAll(',', ',,')},server=on,wait=off` : 'fd=3';
  const devices = enclaveDevices(enclaveFolder(host.dataDir), stream);
  return confine(host.isolation, withKvm(confined, vm.accelerator), [
    // The socket is nobody else's.
    ...['/bin/sh', '-c', 'umask 077; exec "$@"', 'sh'],
    ...machine(vm.qemu, { kernel: kernelPath, initramfs: initramfsPath }, vm.accelerator),
    ...devices,
  ]);
}

/** Gives the enclave its settings: a file in its folder, in the format of `node --env-file`. */
export function writeGuestSettings(host: Host, environment: Readonly<Record<string, string>>, isolation: string): void {
  const own = {
    ...environment,
    COUNTERSIGN_ENCLAVE_DIR: guestFolder,
    COUNTERSIGN_ENCLAVE_PORT: guestPort,
    COUNTERSIGN_ISOLATION: isolation,
    // Inside, nothing runs but what was measured, and there is one way out.
    NODE_COMPILE_CACHE: '',
    COUNTERSIGN_ENCLAVE_SOCKET: '',
  };
  const lines = Object.entries(own).map(([name, value]) => {
    const quote = value.includes('"') ? "'" : '"';
    return `${name}=${quote}${value}${quote}\n`;
  });
  const uid = host.isolation.uids?.enclave ?? null;
  replaceFile(join(enclaveFolder(host.dataDir), 'vm.env'), lines.join(''), uid);
}

function withKvm(confined: Confined, accelerator: Accelerator): Confined {
  if (accelerator !== 'kvm') return confined;
  const view = { ...confined.view, folders: [...confined.view.folders, kvm] };
  return { ...confined, view, groups: [...(confined.groups ?? []), statSync(kvm).gid] };
}

/** KVM where a machine boots with it: where it is nested, it may be there and hang. Known until the host starts anew. */
async function chooseAccelerator(
  host: Host,
  vm: Omit<Microvm, 'accelerator'>,
  folder: string,
  release: string,
): Promise<Accelerator> {
  if (!existsSync(kvm)) return 'tcg';
  const tried = join(folder, 'accelerator.json');
  const circumstances = `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${release}`;
  const known = readJsonIfThere<{ circumstances: string; accelerator: Accelerator }>(tried);
  if (known?.circumstances === circumstances) return known.accelerator;
  const accelerator = (await boots(host, vm)) ? 'kvm' : 'tcg';
  if (accelerator === 'tcg') host.say('KVM is there and a machine does not boot with it; the enclave will be emulated');
  replaceFile(tried, `${JSON.stringify({ circumstances, accelerator })}\n`);
  return accelerator;
}

async function boots(host: Host, { qemu, files }: Omit<Microvm, 'accelerator'>): Promise<boolean> {
  const confined = ownView(host, 'enclave', enclaveFolder(host.dataDir), 'passwd');
  const command = machine(qemu, { kernel: kernelPath, initramfs: initramfsPath }, 'kvm', 'countersign.probe');
  const [program = '', ...args] = confine(host.isolation, withKvm(confined, 'kvm'), command);
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore', 'ignore', 'ignore', ...files], env: {} });
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), probeMs);
  await new Promise((resolve) => child.on('error', resolve).on('close', resolve));
  clearTimeout(timer);
  return output.includes('countersign: the kernel runs');
}
