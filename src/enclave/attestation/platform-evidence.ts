/** Evidence of the platform that keeps the root key: what says who may open it can say what runs. Loaded when it is asked for. */
import type { EnclaveSettings } from '../settings.ts';
import { type Evidence, noEvidence } from './evidence.ts';

type Platform = Pick<EnclaveSettings, 'sealing' | 'tpm' | 'tpmPcrs' | 'dstackSocket' | 'nsmSocket'>;

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');

export function platformEvidence({ sealing, tpm, tpmPcrs, dstackSocket, nsmSocket }: Platform): Evidence {
  if (sealing === 'tpm2' && tpm) return (reportData) => tpmEvidence(tpm, tpmPcrs ?? [11], reportData);
  if (sealing === 'dstack' && dstackSocket) return (reportData) => dstackEvidence(dstackSocket, reportData);
  if (sealing === 'nitro-kms' && nsmSocket) return (reportData) => nitroEvidence(nsmSocket, reportData);
  return noEvidence;
}

/** A quote by a key of the TPM's owner hierarchy, the same at every start. */
const tpmEvidence = async (path: string, registers: readonly number[], reportData: Buffer) => {
  const { quoteRegisters } = await import('../tpm/quote-registers.ts');
  const { quoted, signature, publicKey, values } = await quoteRegisters(path, registers, reportData);
  const pcrs = Object.fromEntries(registers.map((register, at) => [register, text(values[at] as Buffer)]));
  const bytes = { quoted: text(quoted), signature: text(signature), publicKey: text(publicKey) };
  return { platform: 'tpm2', ...bytes, pcrs } as const;
};

const dstackEvidence = async (socket: string, reportData: Buffer) => {
  const { getQuote } = await import('../dstack/agent.ts');
  const { quote, eventLog, vmConfig } = await getQuote(socket, reportData);
  return { platform: 'dstack', quote: text(quote), eventLog, vmConfig } as const;
};

const nitroEvidence = async (socket: string, reportData: Buffer) => {
  const { attest } = await import('../nitro/nsm.ts');
  return { platform: 'nitro', document: text(await attest(socket, { userData: reportData })) } as const;
};
