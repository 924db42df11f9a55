/**
 * Which witnesses count, and how many of them are enough (C2SP tlog-policy), with two rules more: a witness has a URL, and of each
 * group more than half must cosign, so that any two quorums have a witness in common.
 */
import { cosignature, parseVerifierKey, type VerifierKey } from './log/signed-note.ts';

/** As in `COUNTERSIGN_ANCHOR`. */
export const anchorNames = ['file', 'file+witness', 'file+tpm2', 'file+tpm2+witness'] as const;
export type AnchorName = (typeof anchorNames)[number];

export type Witness = { readonly name: string; readonly key: VerifierKey; readonly url: string };

/** A witness's name, or how many of the members. */
type Quorum = string | { readonly threshold: number; readonly members: readonly Quorum[] };

export type WitnessPolicy = { readonly witnesses: readonly Witness[]; readonly quorum: Quorum };

/** Throws with the line that is wrong and what was expected. */
export function parseWitnessPolicy(text: string): WitnessPolicy {
  const witnesses = new Map<string, Witness>();
  const known = new Map<string, Quorum>();
  const grouped = new Set<string>();
  let quorum: Quorum | undefined;
  const find = (name: string): Quorum => known.get(name) ?? fail(`${name} is not defined above`);
  const define = (name: string, value: Quorum) => {
    if (!name || name === 'none' || known.has(name)) fail(`${name || 'a name'} is defined twice or reserved`);
    known.set(name, value);
  };

  const read = ([keyword, ...words]: readonly string[]) => {
    if (keyword === 'witness') {
      const [name = '', key = '', url, ...rest] = words;
      if (url === undefined || rest.length > 0) fail('expected: witness <name> <verifier key> <url>');
      const witness = { name, key: cosignerKey(key), url: httpUrl(url as string) };
      const isSame = (other: Witness) => Buffer.compare(other.key.publicKey, witness.key.publicKey) === 0;
      if ([...witnesses.values()].some(isSame)) fail('two witnesses have one key');
      define(name, name);
      witnesses.set(name, witness);
    } else if (keyword === 'group') {
      const [name = '', threshold = '', ...members] = words;
      for (const member of members) {
        if (grouped.has(member)) fail(`${member} is a member twice`);
        grouped.add(member);
      }
      define(name, { threshold: thresholdOf(threshold, members.length), members: members.map(find) });
    } else if (keyword === 'quorum') {
      const [name = '', ...rest] = words;
      if (quorum !== undefined || rest.length > 0) fail('expected one line: quorum <name>');
      if (name === 'none') fail('expected a quorum: without one, leave the witnesses out of COUNTERSIGN_ANCHOR');
      quorum = find(name);
    } else if (keyword !== 'log') {
      fail('expected witness, group, quorum or log');
    }
  };

  for (const [at, line] of text.split('\n').entries()) {
    const words = line.split(/[ \t]+/).filter(Boolean);
    if (words.length === 0 || words[0]?.startsWith('#')) continue;
    try {
      read(words);
    } catch (error) {
      throw new TypeError(`line ${at + 1}: ${(error as Error).message}`);
    }
  }
  if (quorum === undefined) throw new TypeError('there is no line: quorum <name>');
  return { witnesses: [...witnesses.values()], quorum };
}

/** Whether those of `names` are enough. */
export const isQuorum = (quorum: Quorum, names: ReadonlySet<string>): boolean =>
  typeof quorum === 'string'
    ? names.has(quorum)
    : quorum.members.filter((member) => isQuorum(member, names)).length >= quorum.threshold;

function thresholdOf(text: string, members: number): number {
  const threshold = text === 'all' ? members : text === 'any' ? 1 : /^[1-9]\d{0,2}$/.test(text) ? Number(text) : 0;
  if (members === 0 || threshold === 0 || threshold > members) {
    fail('expected: group <name> <number|all|any> <members>, with a number from 1 to that of the members');
  }
  if (2 * threshold <= members) {
    fail(`${threshold} of ${members} are not more than half: two quorums could vouch for two different histories`);
  }
  return threshold;
}

function cosignerKey(text: string): VerifierKey {
  const key = parseVerifierKey(text);
  return key.type === cosignature ? key : fail('expected the verifier key of a witness (type 4), got that of a log');
}

function httpUrl(text: string): string {
  const url = URL.parse(text);
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.search || url.hash) {
    fail('expected an http or https URL');
  }
  return text;
}

function fail(message: string): never {
  throw new TypeError(message);
}
