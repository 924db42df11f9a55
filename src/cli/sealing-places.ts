/** Sockets and devices outside its folder that the enclave's sealing and anchor use, and how it gets to them. */
import { accessSync, constants, realpathSync, type Stats, statSync } from 'node:fs';
import { codeOf, OperatorError } from './operator-error.ts';
import type { Settings } from './settings.ts';

/** Settings that name a place, by what needs it. */
const needs = {
  tpm2: ['tpm'],
  'tpm2 anchor': ['tpm'],
  dstack: ['dstackSocket'],
  'nitro-kms': ['nsmSocket', 'kmsSocket'],
} as const;

const variables = {
  tpm: 'COUNTERSIGN_TPM',
  dstackSocket: 'COUNTERSIGN_DSTACK_SOCKET',
  nsmSocket: 'COUNTERSIGN_NSM_SOCKET',
  kmsSocket: 'COUNTERSIGN_KMS_SOCKET',
} as const;

export type Places = {
  /** To be seen, read and written by the enclave, at their own paths. */
  readonly paths: readonly string[];
  /** Groups that it needs for that, beside its own. */
  readonly groups: readonly number[];
  readonly environment: Readonly<Record<string, string>>;
};

/**
 * What the enclave needs for these sealings and anchors. `uid`: its own, where the caller is root. Throws `OperatorError`
 * where a place is missing, or not the enclave's to use.
 */
export function placesOf(settings: Settings, uses: readonly string[], uid: number | null): Places {
  const keys = new Set(uses.flatMap((use) => needs[use as keyof typeof needs] ?? []));
  const found = [...keys].map((key) => ({ key, ...open(variables[key], settings[key] as string, uid) }));
  return {
    paths: found.map(({ path }) => path),
    groups: [...new Set(found.flatMap(({ group }) => group ?? []))],
    environment: {
      ...Object.fromEntries(found.map(({ key, path }) => [variables[key], path])),
      ...(keys.has('tpm') && { COUNTERSIGN_TPM_PCRS: settings.tpmPcrs.join(',') }),
      ...(settings.kmsKey && { COUNTERSIGN_KMS_KEY: settings.kmsKey }),
    },
  };
}

function open(variable: string, named: string, uid: number | null): { path: string; group: number | null } {
  let path: string;
  try {
    path = realpathSync(named);
    accessSync(path, constants.R_OK | constants.W_OK);
  } catch (error) {
    throw new OperatorError(
      `${variable}: ${named} cannot be used (${codeOf(error)}); name the right one, or give this user access`,
    );
  }
  const found = statSync(path);
  if (!found.isSocket() && !found.isCharacterDevice()) {
    throw new OperatorError(`${variable}: expected a socket or a device, ${named} is neither`);
  }
  return { path, group: uid === null ? null : groupFor(variable, path, found, uid) };
}

/** The group through which the enclave's uid may use it; null where it may anyway. */
function groupFor(variable: string, path: string, { uid: owner, gid, mode }: Stats, uid: number): number | null {
  if (owner === uid || (mode & 0o006) === 0o006) return null;
  if ((mode & 0o060) === 0o060 && gid !== 0) return gid;
  throw new OperatorError(
    `${variable}: the enclave runs under a user id of its own (${uid}), which may not use ${path}; give it a group other than root's that may (chgrp, chmod 660)`,
  );
}
