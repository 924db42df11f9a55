/** Where things are inside the microVM, and how the enclave runs there. */

/** The enclave's folder, shared by the host. */
export const guestFolder = '/enclave';
/** The stream to api, and the kernel's only other serial port: the first of the first virtio-serial device. */
export const guestPort = '/dev/vport0p1';
/** Where the program is, in place of the checkout. */
export const guestProgram = '/countersign';

/** In a Nitro enclave, in place of the serial port: Unix sockets that lead to vsock. */
const sockets = '/tmp';

/** As outside; what Node may touch is the little that is there. */
export const guestFlags: readonly string[] = [
  `--import=${guestProgram}/plain.mjs`,
  '--disallow-code-generation-from-strings',
  '--disable-proto=delete',
  '--disable-sigusr1',
  '--max-semi-space-size=8',
  '--permission',
  '--allow-addons',
  '--disable-warning=PERM0001',
  '--allow-fs-read=/etc/alpine-release',
  ...[guestProgram, guestFolder, guestPort, sockets].map((path) => `--allow-fs-read=${path}`),
  ...[guestFolder, guestPort, sockets].map((path) => `--allow-fs-write=${path}`),
];
