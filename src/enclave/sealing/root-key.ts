/**
 * The root key at a start, and its way from one sealing to another. A new sealing is written beside the one in force, to
 * `sealing.next`, and takes its place only when an enclave has started with it: a crash, or a setting that was not
 * changed, leaves what works.
 */
import { timingSafeEqual } from 'node:crypto';
import { type SealedRoot, SealingError, type SealingProvider } from './provider.ts';
import {
  nextSealingPath,
  promoteNextSealing,
  readSealing,
  type SealingFile,
  sealingPath,
  writeNextSealing,
} from './sealing-file.ts';

export type OpenedRootKey = {
  readonly rootKey: Buffer;
  /** To be called once the key is known to be this installation's: ends a move or a rotation that it was opened from. */
  settle(): Promise<void>;
};

export const isSealed = (folder: string): boolean =>
  readSealing(sealingPath(folder)) !== null || readSealing(nextSealingPath(folder)) !== null;

/** Opens the root key with `provider`, which must be the one that sealed it. Throws a `SealingError`. */
export async function openRootKey(folder: string, provider: SealingProvider): Promise<OpenedRootKey> {
  const current = readSealing(sealingPath(folder));
  const next = readSealing(nextSealingPath(folder));
  const isMine = (file: SealingFile | null): file is SealingFile => file?.provider === provider.name;
  if (!isMine(next) && !isMine(current)) throw otherProvider(folder, provider.name, current ?? next);
  if (!isMine(next)) return { rootKey: await provider.unseal((current as SealingFile).sealed), settle: async () => {} };
  try {
    const rootKey = await provider.unseal(next.sealed);
    return { rootKey, settle: () => settle(folder, provider, rootKey, next.sealed, isMine(current)) };
  } catch (error) {
    // A rotation that did not get as far as to make the older sealing worthless.
    if (!isMine(current)) throw error;
    return { rootKey: await provider.unseal(current.sealed), settle: async () => {} };
  }
}

async function settle(
  folder: string,
  provider: SealingProvider,
  rootKey: Buffer,
  sealed: SealedRoot,
  isRotation: boolean,
): Promise<void> {
  if (isRotation) await provider.retireOlder?.(rootKey, sealed);
  promoteNextSealing(folder);
}

function otherProvider(folder: string, wanted: string, found: SealingFile | null): SealingError {
  const actual = found?.provider ?? 'nothing';
  return new SealingError(
    `the root key in ${folder} is sealed with ${actual}, but COUNTERSIGN_SEALING says ${wanted}: set it to ${actual}, or move the key with \`countersign seal move --to ${wanted}\``,
  );
}

/** Seals `rootKey` with `provider` and makes sure that it opens again, unless that takes people. */
export async function sealAndCheck(
  provider: SealingProvider,
  rootKey: Buffer,
  previous?: SealedRoot,
): Promise<SealedRoot> {
  const sealed = await provider.seal(rootKey, previous);
  // Where people must come together it is the next start that checks, and what it is to replace stays until then.
  if (provider.ceremony) return sealed;
  const opened = await provider.unseal(copyOf(sealed));
  const isSame = opened.length === rootKey.length && timingSafeEqual(opened, rootKey);
  opened.fill(0);
  if (!isSame) throw new SealingError(`${provider.name} gave back another key than it was given; nothing was changed`);
  return sealed;
}

/** A provider may zero what it is given. */
const copyOf = (sealed: SealedRoot): SealedRoot =>
  Object.fromEntries(
    Object.entries(sealed).map(([name, value]) => [name, value instanceof Uint8Array ? Buffer.from(value) : value]),
  );

/** Prepares a move: from the next start with `to` in the settings the key is opened from there. Zeroes `rootKey`. */
export async function prepareMove(folder: string, to: SealingProvider, rootKey: Buffer): Promise<void> {
  try {
    const current = readSealing(sealingPath(folder));
    const previous = current?.provider === to.name ? current.sealed : undefined;
    writeNextSealing(folder, { provider: to.name, sealed: await sealAndCheck(to, rootKey, previous) });
  } finally {
    rootKey.fill(0);
  }
}

/** Seals the key anew with the provider that has it, and makes the older sealing worthless where that is possible. */
export async function rotateSealing(folder: string, provider: SealingProvider): Promise<void> {
  const prepared = readSealing(nextSealingPath(folder));
  if (prepared && prepared.provider !== provider.name) {
    throw new SealingError(
      `a move to ${prepared.provider} is prepared: finish it (COUNTERSIGN_SEALING=${prepared.provider} and a start) or delete ${nextSealingPath(folder)}`,
    );
  }
  const { rootKey, settle: settleEarlier } = await openRootKey(folder, provider);
  try {
    await settleEarlier();
    const previous = readSealing(sealingPath(folder)) as SealingFile;
    const sealed = await sealAndCheck(provider, rootKey, previous.sealed);
    writeNextSealing(folder, { provider: provider.name, sealed });
    await settle(folder, provider, rootKey, sealed, true);
  } finally {
    rootKey.fill(0);
  }
}

/**
 * Seals the key for the code of a release that is to be installed, with the provider that has it. The present code keeps its own
 * sealing, until the other has started.
 */
export async function prepareUpgrade(
  folder: string,
  provider: SealingProvider,
  measurement: Uint8Array,
): Promise<void> {
  if (!provider.sealForCode)
    throw new SealingError(`${provider.name} opens for other code without being told: nothing to do here`);
  const { rootKey, settle: settleEarlier } = await openRootKey(folder, provider);
  try {
    await settleEarlier();
    const previous = readSealing(sealingPath(folder)) as SealingFile;
    const sealed = await provider.sealForCode(rootKey, previous.sealed, measurement);
    writeNextSealing(folder, { provider: provider.name, sealed });
  } finally {
    rootKey.fill(0);
  }
}
