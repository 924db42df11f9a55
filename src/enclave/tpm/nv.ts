/** Indexes in the non-volatile memory of a TPM 2.0 that only who knows their authorization value can use (Library, Part 3 §31). */
import { sha256 } from '../ledger/hash.ts';
import { type Entity, owner, type Tpm } from './client.ts';
import { algorithms, commands, nvAttributes } from './constants.ts';
import type { Session } from './session.ts';
import { sized, u16, u32 } from './wire.ts';

/** `counter`: 8 bytes, grows by one; `extend`: 32 bytes, becomes SHA-256(itself ‖ data). */
export type NvKind = 'counter' | 'extend';
export type NvIndex = {
  readonly index: number;
  readonly kind: NvKind;
  readonly auth: Uint8Array;
  /** Policies may compare it, without its authorization value. */
  readonly ownerReads?: boolean;
};

const { authRead, authWrite, noDa, ownerRead, written } = nvAttributes;
const sizes: Readonly<Record<NvKind, number>> = { counter: 8, extend: 32 };

/** TPMS_NV_PUBLIC. */
const publicArea = ({ index, kind, ownerReads }: NvIndex, isWritten: boolean): Buffer =>
  Buffer.concat([
    u32(index),
    u16(algorithms.sha256),
    u32(authRead | authWrite | noDa | nvAttributes[kind] | (ownerReads ? ownerRead : 0) | (isWritten ? written : 0)),
    sized(Buffer.alloc(0)),
    u16(sizes[kind]),
  ]);

/** Its name says what it must be, not what the TPM's socket says that it is: another index fails the session's check. */
export function entityOf(nv: NvIndex, isWritten: boolean): Entity {
  const name = Buffer.concat([u16(algorithms.sha256), sha256(publicArea(nv, isWritten))]);
  return { handle: nv.index, name, auth: nv.auth };
}

/** Makes the index; the authorization value goes to the TPM encrypted by `session`, which is salted. */
export async function defineNv(tpm: Tpm, nv: NvIndex, session: Session, hierarchy: Entity = owner): Promise<void> {
  await tpm.execute({
    code: commands.nvDefineSpace,
    entities: [hierarchy],
    sessions: [session],
    parameters: [sized(nv.auth), sized(publicArea(nv, false))],
    hides: 'command',
  });
}

export async function undefineNv(tpm: Tpm, nv: NvIndex, isWritten: boolean, session: Session): Promise<void> {
  await tpm.execute({
    code: commands.nvUndefineSpace,
    entities: [owner, entityOf(nv, isWritten)],
    sessions: [session],
  });
}

/** `isFirst`: nothing was written to it since it was defined. */
export async function extendNv(
  tpm: Tpm,
  nv: NvIndex,
  data: Uint8Array,
  session: Session,
  isFirst = false,
): Promise<void> {
  const entity = entityOf(nv, !isFirst);
  const command = { code: commands.nvExtend, entities: [entity, entity], sessions: [session] };
  await tpm.execute({ ...command, parameters: [sized(data)] });
}

export async function incrementNv(tpm: Tpm, nv: NvIndex, session: Session, isFirst = false): Promise<void> {
  const entity = entityOf(nv, !isFirst);
  await tpm.execute({ code: commands.nvIncrement, entities: [entity, entity], sessions: [session] });
}

/** What the index holds: 8 or 32 bytes. One that was never written is not read but refused; `isWritten` only says which name it has. */
export async function readNv(tpm: Tpm, nv: NvIndex, session: Session, isWritten = true): Promise<Buffer> {
  const entity = entityOf(nv, isWritten);
  const { parameters } = await tpm.execute({
    code: commands.nvRead,
    entities: [entity, entity],
    sessions: [session],
    parameters: [u16(sizes[nv.kind]), u16(0)],
  });
  return Buffer.from(parameters.sized());
}

/** Whether an index of that number exists; believed by nobody. */
export async function nvExists(tpm: Tpm, index: number): Promise<boolean> {
  const indexes = 1;
  const { parameters } = await tpm.execute({
    code: commands.getCapability,
    parameters: [u32(indexes), u32(index), u32(1)],
  });
  parameters.take(1 + 4);
  return parameters.u32() > 0 && parameters.u32() === index;
}
