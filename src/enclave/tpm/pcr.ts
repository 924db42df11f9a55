/** Platform configuration registers of the SHA-256 bank, policies over them, and quotes (TPM 2.0 Library, Part 3 §18, §22, §23). */
import { sha256 } from '../ledger/hash.ts';
import { type Entity, permanent, type Tpm } from './client.ts';
import { algorithms, commands } from './constants.ts';
import { passwordSession, type Session } from './session.ts';
import { sized, u8, u16, u32 } from './wire.ts';

/** TPML_PCR_SELECTION of registers 0 to 23. */
export function selectionOf(registers: readonly number[]): Buffer {
  const bitmap = Buffer.alloc(3);
  for (const register of registers) bitmap[register >> 3] = (bitmap[register >> 3] as number) | (1 << (register & 7));
  return Buffer.concat([u32(1), u16(algorithms.sha256), u8(bitmap.length), bitmap]);
}

/** Up to 8 registers, in ascending order, 32 bytes each. */
export async function readPcrs(tpm: Tpm, registers: readonly number[]): Promise<Buffer[]> {
  const { parameters } = await tpm.execute({ code: commands.pcrRead, parameters: [selectionOf(registers)] });
  parameters.take(4);
  const selections = parameters.u32();
  for (let index = 0; index < selections; index++) {
    parameters.take(2);
    parameters.take(parameters.u8());
  }
  const values = Array.from({ length: parameters.u32() }, () => Buffer.from(parameters.sized()));
  if (values.length !== registers.length) throw new Error('the TPM has no such registers in its SHA-256 bank');
  return values;
}

export async function extendPcr(tpm: Tpm, register: number, digest: Uint8Array): Promise<void> {
  await tpm.execute({
    code: commands.pcrExtend,
    entities: [permanent(register)],
    sessions: [passwordSession],
    parameters: [u32(1), u16(algorithms.sha256), digest],
  });
}

/** Digest of the policy "these registers hold these values", for what is made below it. */
export const pcrPolicy = (registers: readonly number[], values: readonly Uint8Array[]): Buffer =>
  sha256(
    Buffer.concat([Buffer.alloc(32), u32(commands.policyPcr), selectionOf(registers), sha256(Buffer.concat(values))]),
  );

/** Asserts in a policy session what the registers hold now. */
export async function assertPcrs(tpm: Tpm, session: Session, registers: readonly number[]): Promise<void> {
  await tpm.execute({
    code: commands.policyPcr,
    entities: [{ handle: session.handle, name: u32(session.handle) }],
    parameters: [sized(Buffer.alloc(0)), selectionOf(registers)],
  });
}

/** `attested`: TPMS_ATTEST; `signature`: TPMT_SIGNATURE of an attestation key over it. `nonce`: up to 64 bytes. */
export async function quote(
  tpm: Tpm,
  key: Entity,
  registers: readonly number[],
  nonce: Uint8Array,
): Promise<{ attested: Buffer; signature: Buffer }> {
  const { parameters } = await tpm.execute({
    code: commands.quote,
    entities: [key],
    sessions: [passwordSession],
    parameters: [sized(nonce), u16(algorithms.none), selectionOf(registers)],
  });
  return { attested: Buffer.from(parameters.sized()), signature: Buffer.from(parameters.rest()) };
}
