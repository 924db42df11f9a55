/**
 * Run by the launcher, before the enclave: extends register 11 of the TPM with the measurement of the enclave's code, once per
 * boot of the machine. Arguments: path of the TPM, measurement in hex.
 */
import { openTpm } from '../tpm/client.ts';
import { extendPcr, readPcrs } from '../tpm/pcr.ts';
import { codeDigest, codeRegister, codeValue } from './tpm2.ts';

const [, , path = '', measurement = ''] = process.argv;

try {
  const tpm = await openTpm(path);
  const code = Buffer.from(measurement, 'hex');
  const [value = Buffer.alloc(0)] = await readPcrs(tpm, [codeRegister]);
  if (value.every((byte) => byte === 0)) await extendPcr(tpm, codeRegister, codeDigest(code));
  else if (!value.equals(codeValue(code))) {
    throw new Error(
      `register ${codeRegister} holds the measurement of other code, which ran since the machine was booted: reboot it`,
    );
  }
  await tpm.close();
} catch (error) {
  console.error(`the TPM at ${path}: ${(error as Error).message}`);
  process.exitCode = 1;
}
