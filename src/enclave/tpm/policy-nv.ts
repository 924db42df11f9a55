/** Policies over a counter in the non-volatile memory (TPM 2.0 Library, Part 3 §23.9 PolicyNV): it has not passed a number. */
import { sha256 } from '../ledger/hash.ts';
import { owner, type Tpm } from './client.ts';
import { commands } from './constants.ts';
import { entityOf, type NvIndex } from './nv.ts';
import { passwordSession, type Session } from './session.ts';
import { sized, u16, u32 } from './wire.ts';

/** TPM_EO: what is in the index is at most the operand. */
const unsignedAtMost = 0x0009;
const noOffset = u16(0);

function operandOf(limit: number): Buffer {
  const operand = Buffer.alloc(8);
  operand.writeBigUInt64BE(BigInt(limit));
  return operand;
}

/** The digest of `policy` and of "the counter is at most `limit`". */
export function withCounterAtMost(policy: Uint8Array, nv: NvIndex, limit: number): Buffer {
  const what = sha256(Buffer.concat([operandOf(limit), noOffset, u16(unsignedAtMost)]));
  return sha256(Buffer.concat([policy, u32(commands.policyNv), what, entityOf(nv, true).name]));
}

/** Asserts it in a policy session. The TPM refuses with 0x126 where the counter is beyond. */
export async function assertCounterAtMost(tpm: Tpm, session: Session, nv: NvIndex, limit: number): Promise<void> {
  await tpm.execute({
    code: commands.policyNv,
    entities: [owner, entityOf(nv, true), { handle: session.handle, name: u32(session.handle) }],
    sessions: [passwordSession],
    parameters: [sized(operandOf(limit)), noOffset, u16(unsignedAtMost)],
  });
}
