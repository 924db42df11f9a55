/** User ids for the three processes when the supervisor is root: each its own, and none that anybody else has. */
import { randomInt } from 'node:crypto';

export type Role = 'enclave' | 'api' | 'postgres';
export const roles: readonly Role[] = ['enclave', 'api', 'postgres'];

/** Between the ids of containers and those of foreign images nobody hands out any (systemd, UIDS-GIDS.md). */
const [unassignedFrom, unassignedTo] = [1_900_000_000, 2_100_000_000];

/**
 * The first of three successive ids that no account in `passwd` has. `uidMap` is the text of /proc/self/uid_map: inside a
 * container that maps few ids, they are taken from the top of those that exist.
 */
export function chooseFirstUid(
  uidMap: string,
  passwd: string,
  random: (least: number, end: number) => number = randomInt,
): number {
  const ranges = uidMap
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .map(([first = 0, , count = 0]) => ({ first, end: first + count }));
  const taken = new Set(passwd.split('\n').map((line) => Number(line.split(':')[2])));
  const free = (uid: number) => roles.every((_, index) => !taken.has(uid + index));
  const everything = ranges.some(({ first, end }) => first <= unassignedFrom && end >= unassignedTo);
  if (everything) {
    for (;;) {
      const uid = random(unassignedFrom, unassignedTo - roles.length);
      if (free(uid)) return uid;
    }
  }
  const end = Math.max(...ranges.map((range) => range.end));
  const bottom = ranges.find((range) => range.end === end)?.first ?? 0;
  // 65534 and 65535 are `nobody` and "no id".
  for (let uid = Math.min(end, 65_534) - roles.length; uid > Math.max(bottom, 1000); uid--) if (free(uid)) return uid;
  throw new Error('fewer than three user ids are free');
}

/** The three ids from the first of them. */
export const uidsFrom = (first: number): Readonly<Record<Role, number>> => ({
  enclave: first,
  api: first + 1,
  postgres: first + 2,
});
