/** `countersign measure`: which code the enclave is, as a release publishes it and as clients pin it. */
import { parseArgs } from 'node:util';
import { measureEnclave } from './measurement.ts';

export const measureHelp = `usage: countersign measure [--manifest]

Prints the measurement of the enclave's code: SHA-384 of the manifest of all files that the enclave can load. The same
release gives the same, wherever it lies; an enclave names its own in the boot statement (GET /attestation).

  --manifest  prints the manifest: the files and their SHA-256, which \`sha256sum --check\` reads`;

export function measure(args: readonly string[]): void {
  const { values } = parseArgs({ args: [...args], options: { manifest: { type: 'boolean' } } });
  const { digest, manifest } = measureEnclave();
  // Whoever reads may stop at any line.
  process.stdout.on('error', () => {});
  process.stdout.write(values.manifest ? manifest : `${digest}\n`);
}
