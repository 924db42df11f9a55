/** `countersign ceremony …`: the root key in shares, for people who do not share a room (docs/ceremony.md). */
import { parseArgs } from 'node:util';
import type { MeasurementPolicy } from '../../sdk/src/attestation/policy.ts';
import type { CeremonyReport } from '../protocol/ceremony/hand-in.ts';
import { askReport } from './ceremony/ask.ts';
import type { Trust } from './ceremony/attestation.ts';
import { ceremonyHelp } from './ceremony/help.ts';
import { createHolderFile } from './ceremony/holder-file.ts';
import { propose } from './ceremony/propose.ts';
import {
  checkShare,
  describeManifest,
  giveShare,
  type HolderOptions,
  judgeProposal,
  shownManifest,
} from './ceremony/share.ts';
import { OperatorError } from './operator-error.ts';
import { readPassphrase } from './passphrase.ts';
import { readJson } from './read-json.ts';
import type { Settings } from './settings.ts';

export { ceremonyHelp } from './ceremony/help.ts';

type Step = (settings: Settings, args: readonly string[]) => unknown;

const steps: Readonly<Record<string, Step>> = {
  'holder-key': holderKey,
  new: (settings, args) => named(settings, args, true),
  reshare: (settings, args) => named(settings, args, false),
  status,
  check,
  share,
  agree,
};

export async function ceremony(settings: Settings, [name = '', ...args]: readonly string[]): Promise<void> {
  const step = Object.hasOwn(steps, name) ? steps[name] : undefined;
  if (!step)
    throw new OperatorError(
      `ceremony: expected ${Object.keys(steps).join(', ')}, got ${name || 'nothing'}\n\n${ceremonyHelp}`,
    );
  await step(settings, args);
}

const text = { type: 'string' } as const;
const holderOptions = { key: text, 'passphrase-file': text, manifest: text, url: text } as const;
const trustOptions = {
  policy: text,
  measurement: { type: 'string', multiple: true },
  'accept-unattested': text,
} as const;

async function holderKey(_settings: Settings, args: readonly string[]): Promise<void> {
  const options = { name: text, out: text, passphrase: { type: 'boolean' }, 'passphrase-file': text } as const;
  const { values } = parseArgs({ args: [...args], options });
  const name = required(values.name, '--name');
  const out = required(values.out, '--out');
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/.test(name))
    throw new OperatorError('--name: expected 1 to 32 letters, digits or ._-');
  const file = values['passphrase-file'];
  const passphrase = values.passphrase || file ? await readPassphrase(`${name}'s key`, file, true) : undefined;
  const { publicKey } = createHolderFile(out, name, passphrase);
  process.stderr.write(
    `the private key is in ${out}: keep a copy where it cannot be lost. Give this line to the operator:\n`,
  );
  say(`${name}:${publicKey}`);
}

function named(settings: Settings, args: readonly string[], isFirst: boolean): void {
  const options = { threshold: text, holder: { type: 'string', multiple: true } } as const;
  const { values } = parseArgs({ args: [...args], options });
  const hash = propose(settings.dataDir, { threshold: values.threshold, holders: values.holder ?? [] }, isFirst);
  say(
    isFirst
      ? 'the holders are named; next: start the service with COUNTERSIGN_SEALING=quorum-shares, and give the holders the manifest hash that `countersign ceremony status` prints'
      : `proposed; each of the present holders who agrees runs:\n  countersign ceremony agree --key <file> --proposal ${hash} …`,
  );
}

async function status(settings: Settings, args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options: { url: text } });
  const report = await askReport(urlOf(settings, values.url));
  const { manifest, hash } = shownManifest(report);
  say(describeManifest(manifest, hash.toString('hex')));
  say(describeProgress(report));
}

async function check(settings: Settings, args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options: holderOptions });
  const hash = await checkShare(holderOf(settings, values));
  say(`your share opens and is the one that manifest ${hash} names`);
}

async function share(settings: Settings, args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options: { ...holderOptions, ...trustOptions } });
  const report = await giveShare({ ...holderOf(settings, values), trust: trustOf(values), proposal: null });
  say(describeProgress(report));
}

async function agree(settings: Settings, args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options: { ...holderOptions, ...trustOptions, proposal: text } });
  const holder = holderOf(settings, values);
  const proposal = judgeProposal(await askReport(holder.url), values.proposal);
  const report = await giveShare({ ...holder, trust: trustOf(values), proposal });
  say(describeProgress(report));
}

type Values = Readonly<Record<string, string | string[] | undefined>>;

function holderOf(settings: Settings, values: Values): HolderOptions {
  const manifest = values.manifest as string | undefined;
  return {
    url: urlOf(settings, values.url as string | undefined),
    key: required(values.key as string | undefined, '--key'),
    passphraseFile: values['passphrase-file'] as string | undefined,
    manifest: manifest && hashOf(manifest, '--manifest'),
  };
}

function trustOf(values: Values): Trust {
  const measurements = ((values.measurement ?? []) as string[]).map((each) => each.toLowerCase());
  if (measurements.some((each) => !/^[0-9a-f]{96}$/.test(each)))
    throw new OperatorError('--measurement: expected 96 hex digits');
  const boot = values['accept-unattested'] as string | undefined;
  if (boot !== undefined && values.policy !== undefined)
    throw new OperatorError(
      '--accept-unattested: expected without --policy, for no evidence would be checked against it',
    );
  const policy =
    values.policy === undefined ? null : (readJson(values.policy as string) as unknown as MeasurementPolicy);
  if (policy && !Array.isArray(policy.code))
    throw new OperatorError('--policy: expected {"code": [...], "platforms": {...}} (docs/attestation.md)');
  return { policy, measurements, unattestedBoot: boot === undefined ? null : hashOf(boot, '--accept-unattested') };
}

const urlOf = ({ publicUrl, port }: Settings, given: string | undefined): string => {
  const url = given ?? publicUrl ?? `http://localhost:${port}`;
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? '')) throw new OperatorError(`--url: expected a URL, got ${url}`);
  return url;
};

function hashOf(value: string, option: string): string {
  const hash = value.toLowerCase();
  if (!/^[0-9a-f]{64}$/.test(hash))
    throw new OperatorError(`${option}: expected 64 hex digits, got ${value.slice(0, 80)}`);
  return hash;
}

function required(value: string | undefined, option: string): string {
  if (!value) throw new OperatorError(`${option}: expected a value, got nothing\n\n${ceremonyHelp}`);
  return value;
}

function describeProgress({ phase, boot, holders, proposal }: CeremonyReport): string {
  const there = holders.filter(({ handedIn }) => handedIn).map(({ name }) => name);
  const lines = [
    phase === 'waiting'
      ? `the enclave waits for shares (boot id ${boot}); there so far: ${there.join(', ') || 'none'}`
      : `the root key is there (boot id ${boot})`,
  ];
  if (proposal)
    lines.push(`new holders are proposed (${proposal.hash}); agreed so far: ${proposal.agreed.join(', ') || 'nobody'}`);
  return lines.join('\n');
}

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
