/**
 * The root key sealed in a TPM 2.0 under a policy of two parts (Library, Part 3 §23): registers of the boot's measurements hold
 * what they held when it was sealed (register 11: the enclave's own code, by the launcher), and a counter that only runs
 * forward has not passed the number that this sealing was given. A rotation raises the counter: older sealings are dead.
 */
import { randomInt } from 'node:crypto';
import { sha256 } from '../ledger/hash.ts';
import { flush, openTpm, type Tpm } from '../tpm/client.ts';
import { kindOf, responses, TpmError } from '../tpm/error.ts';
import { defineNv, incrementNv, type NvIndex, nvExists, readNv } from '../tpm/nv.ts';
import {
  createPrimary,
  createSealed,
  type LoadedObject,
  load,
  startSession,
  storageKeyTemplate,
  unseal,
  withObject,
} from '../tpm/objects.ts';
import { assertPcrs, pcrPolicy, readPcrs } from '../tpm/pcr.ts';
import { assertCounterAtMost, withCounterAtMost } from '../tpm/policy-nv.ts';
import type { Session } from '../tpm/session.ts';
import { type SealedRoot, SealingError, type SealingProvider } from './provider.ts';
import { deriveKey } from './seal.ts';

/** What lies in the sealing file. None of it is a secret, and the TPM believes none of it. */
type SealedInTpm = {
  readonly privateArea: Uint8Array;
  readonly publicArea: Uint8Array;
  /** NV index of the counter, and the number up to which this sealing opens. */
  readonly index: number;
  readonly generation: number;
  readonly registers: readonly number[];
  /** What they held, 32 bytes each, to say which of them is another. */
  readonly values: readonly Uint8Array[];
};

/** The launcher extends it with the measurement of the enclave's code. */
export const codeRegister = 11;
/** NV indexes for owners that no other software claims (TCG Registry of Reserved TPM 2.0 Handles). */
const [firstIndex, indexEnd] = [0x0151_0000, 0x0152_0000];

export function tpm2(path: string | undefined, registers: readonly number[] = [codeRegister]): SealingProvider {
  return {
    name: 'tpm2',
    seal: (rootKey, previous) => withTpm(path, (tpm, primary) => seal(tpm, primary, rootKey, registers, previous)),
    sealForCode: (rootKey, previous, measurement) =>
      withTpm(path, (tpm, primary) => seal(tpm, primary, rootKey, registers, previous, codeValue(measurement))),
    unseal: (sealed) => withTpm(path, (tpm, primary) => open(tpm, primary, parse(sealed))),
    retireOlder: (rootKey, current) => withTpm(path, (tpm, primary) => retire(tpm, primary, rootKey, parse(current))),
  };
}

/** What the launcher extends register 11 with, for code of this measurement, and what it holds then. */
export const codeDigest = (measurement: Uint8Array): Buffer => sha256(measurement);
export const codeValue = (measurement: Uint8Array): Buffer =>
  sha256(Buffer.concat([Buffer.alloc(32), codeDigest(measurement)]));

async function seal(
  tpm: Tpm,
  primary: LoadedObject,
  rootKey: Buffer,
  registers: readonly number[],
  previous: SealedRoot | undefined,
  otherCode?: Buffer,
): Promise<SealedRoot> {
  const present = await readPcrs(tpm, registers);
  const values = present.map((value, at) => (registers[at] === codeRegister && otherCode) || value);
  const code = values[registers.indexOf(codeRegister)];
  if (!code || code.every((byte) => byte === 0)) {
    throw new SealingError(
      `register ${codeRegister} of the TPM holds no measurement of the enclave: start it with \`countersign start\`, which extends it, and keep ${codeRegister} in COUNTERSIGN_TPM_PCRS`,
    );
  }
  return withSession(tpm, primary, 'hmac', async (session) => {
    const { nv, generation } = await nextGeneration(tpm, rootKey, session, previous && parse(previous));
    const policy = withCounterAtMost(pcrPolicy(registers, values), nv, generation);
    const areas = await createSealed(tpm, primary, rootKey, policy, session);
    return { ...areas, index: nv.index, generation, registers, values };
  });
}

async function open(tpm: Tpm, primary: LoadedObject, sealed: SealedInTpm): Promise<Buffer> {
  const object = load(tpm, primary, {
    privateArea: Buffer.from(sealed.privateArea),
    publicArea: Buffer.from(sealed.publicArea),
  }).catch(refuse('this TPM did not make it (another machine, or the TPM was cleared), or the file was altered'));
  return withObject(tpm, object, (item) =>
    withSession(tpm, primary, 'policy', async (session) => {
      await assertPcrs(tpm, session, sealed.registers);
      // The authorization value is not needed to compare.
      await assertCounterAtMost(tpm, session, counterAt(sealed.index), sealed.generation).catch(
        refuse(
          'a rotation made this sealing worthless, or the counter in the TPM is gone: use the newest sealing file',
        ),
      );
      return unseal(tpm, item, session).catch(async (error: unknown) => refuse(await difference(tpm, sealed))(error));
    }),
  );
}

async function retire(tpm: Tpm, primary: LoadedObject, rootKey: Buffer, current: SealedInTpm): Promise<void> {
  const nv = counterAt(current.index, authOf(rootKey));
  await withSession(tpm, primary, 'hmac', async (session) => {
    let count = await readCounter(tpm, nv, session);
    for (; count < current.generation; count++) await incrementNv(tpm, nv, session);
    nv.auth.fill(0);
  });
}

/** One more than the counter of `previous`, or a new counter as it is. Only who has the root key can raise it. */
async function nextGeneration(
  tpm: Tpm,
  rootKey: Buffer,
  session: Session,
  previous: SealedInTpm | undefined,
): Promise<{ nv: NvIndex; generation: number }> {
  // What another TPM sealed has its counter there.
  if (previous && (await nvExists(tpm, previous.index))) {
    const nv = counterAt(previous.index, authOf(rootKey));
    return { nv, generation: (await readCounter(tpm, nv, session)) + 1 };
  }
  let index = randomInt(firstIndex, indexEnd);
  while (await nvExists(tpm, index)) index = randomInt(firstIndex, indexEnd);
  const nv = counterAt(index, authOf(rootKey));
  await defineNv(tpm, nv, session);
  await incrementNv(tpm, nv, session, true);
  return { nv, generation: await readCounter(tpm, nv, session) };
}

const counterAt = (index: number, auth: Uint8Array = Buffer.alloc(0)): NvIndex => ({
  index,
  kind: 'counter',
  auth,
  ownerReads: true,
});

const authOf = (rootKey: Buffer): Buffer => deriveKey(rootKey, 'tpmGeneration').export();

const readCounter = async (tpm: Tpm, nv: NvIndex, session: Session): Promise<number> =>
  Number((await readNv(tpm, nv, session)).readBigUInt64BE());

/** Which register is another than at the sealing. */
async function difference(tpm: Tpm, { registers, values }: SealedInTpm): Promise<string> {
  const now = await readPcrs(tpm, registers);
  const changed = registers.flatMap((register, at) => {
    const [then, is] = [Buffer.from(values[at] ?? []).toString('hex'), now[at]?.toString('hex')];
    return then === is ? [] : [`register ${register} held ${then} when it was sealed and holds ${is}`];
  });
  if (changed.length === 0) return 'its policy is not the one that it was sealed under: the file was altered';
  return `other code was started: ${changed.join(', ')}. Start the release that it was sealed for, after a reboot, or seal it for this one: \`countersign seal move --to tpm2 --from-backup <file>\``;
}

/** For `catch`: a refusal of the TPM, in words. */
const refuse =
  (reason: string) =>
  (error: unknown): never => {
    if (!(error instanceof TpmError)) throw error;
    const isKnown = kindOf(error.code) !== responses.policyFail;
    throw new SealingError(
      `the TPM does not open the root key: ${reason} (${isKnown ? error.message : '0x99d, policy check failed'})`,
    );
  };

async function withTpm<T>(path: string | undefined, use: (tpm: Tpm, primary: LoadedObject) => Promise<T>): Promise<T> {
  const tpm = await connect(path);
  try {
    return await withObject(tpm, createPrimary(tpm, storageKeyTemplate), (primary) => use(tpm, primary));
  } catch (error) {
    if (error instanceof SealingError) throw error;
    throw new SealingError(`the TPM at ${path} cannot be used: ${(error as Error).message}`);
  } finally {
    await tpm.close();
  }
}

async function connect(path: string | undefined): Promise<Tpm> {
  if (!path) throw new SealingError('COUNTERSIGN_TPM: expected the path of a TPM 2.0, like /dev/tpmrm0, got nothing');
  try {
    return await openTpm(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new SealingError(`COUNTERSIGN_TPM: there is no TPM to use at ${path} (${code ?? message})`);
  }
}

async function withSession<T>(
  tpm: Tpm,
  primary: LoadedObject,
  kind: 'hmac' | 'policy',
  use: (session: Session) => Promise<T>,
): Promise<T> {
  const session = await startSession(tpm, primary, kind);
  try {
    return await use(session);
  } finally {
    await flush(tpm, session.handle);
  }
}

function parse({ privateArea, publicArea, index, generation, registers, values }: SealedRoot): SealedInTpm {
  const isNumbers = (list: unknown, least: number, most: number): list is number[] =>
    Array.isArray(list) && list.every((item) => Number.isInteger(item) && item >= least && item <= most);
  if (
    privateArea instanceof Uint8Array &&
    publicArea instanceof Uint8Array &&
    isNumbers([index], firstIndex, indexEnd - 1) &&
    isNumbers([generation], 0, Number.MAX_SAFE_INTEGER) &&
    isNumbers(registers, 0, 23) &&
    Array.isArray(values)
  ) {
    const sealed = { privateArea, publicArea, index, generation, registers, values };
    return sealed as unknown as SealedInTpm;
  }
  throw new SealingError('the sealing file holds nothing that a TPM sealed; restore it from the backup');
}
