import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Boot } from '../../../src/enclave/ceremony/collection.ts';
import type { SealedRoot } from '../../../src/enclave/sealing/provider.ts';
import { quorumShares } from '../../../src/enclave/sealing/quorum-shares.ts';
import type { CeremonyReport, HandIn } from '../../../src/protocol/ceremony/hand-in.ts';
import { proposalHash } from '../../../src/protocol/ceremony/manifest.ts';
import { handInOf, makeHolders, proposalOf, recipient, shareOf, type TestHolder } from '../../support/holders.ts';

const [anna, ben, carl, dora] = makeHolders('anna', 'ben', 'carl', 'dora') as [
  TestHolder,
  TestHolder,
  TestHolder,
  TestHolder,
];
const rootKey = randomBytes(32);
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'countersign-quorum-'));
  propose(proposalOf([anna, ben, carl], 2));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const propose = (proposal: Buffer) => writeFileSync(join(folder, 'quorum-proposal'), proposal);

/** One start of an enclave, as far as its shares go. */
function startWith(sealed?: SealedRoot) {
  const boot: Boot = { ...recipient(), id: randomBytes(32) };
  const said: (string | null)[] = [];
  const replaced: SealedRoot[] = [];
  const provider = quorumShares({
    folder,
    boot,
    waiting: (what) => said.push(what),
    replace: (record) => replaced.push(record),
  });
  const ceremony = async (message: Uint8Array): Promise<CeremonyReport> =>
    JSON.parse(Buffer.from((await provider.ceremony?.(message)) as Uint8Array).toString());
  const opened = sealed && provider.unseal(sealed);
  opened?.catch(() => {});
  return {
    provider,
    boot,
    said,
    replaced,
    opened: opened as Promise<Buffer>,
    report: () => ceremony(Buffer.alloc(0)),
    handIn: (message: HandIn) => ceremony(Buffer.from(JSON.stringify(message))),
    async give(holder: TestHolder, more: Parameters<typeof handInOf>[3] = {}) {
      return ceremony(Buffer.from(JSON.stringify(handInOf(holder, boot.publicKey, await this.report(), more))));
    },
  };
}

const sealOnce = () => startWith().provider.seal(rootKey);
const refusedWith = (reason: string) => ({ facts: { reason } });

test('enough holders open the root key, in any order, and the status counts them', async () => {
  const sealed = await sealOnce();
  const start = startWith(sealed);
  expect(start.said).toEqual(['waiting for shares: 0 of 2']);
  expect((await start.give(carl)).holders.map(({ handedIn }) => handedIn)).toEqual([false, false, true]);
  expect(start.said.at(-1)).toBe('waiting for shares: 1 of 2 (carl)');
  expect((await start.give(anna)).phase).toBe('open');
  expect((await start.opened).equals(rootKey)).toBe(true);
  expect(start.said.at(-1)).toBeNull();
  await expect(start.give(ben)).rejects.toMatchObject(refusedWith('SHARE_NOT_NEEDED'));
});

test('what is kept holds neither the root key nor a share in clear', async () => {
  const sealed = await sealOnce();
  const start = startWith(sealed);
  const report = await start.report();
  const secrets = [rootKey, ...[anna, ben, carl].map((holder) => shareOf(holder, report))];
  const kept = Buffer.concat([sealed.manifest as Buffer, ...(sealed.envelopes as Buffer[]), sealed.tag as Buffer]);
  for (const secret of secrets) expect(kept.includes(secret.subarray(0, 16))).toBe(false);
});

test('nobody named: the first start says what to do', async () => {
  rmSync(join(folder, 'quorum-proposal'));
  await expect(sealOnce()).rejects.toThrow('countersign ceremony new');
  propose(Buffer.from('no proposal'));
  await expect(sealOnce()).rejects.toThrow('countersign ceremony new');
});

test('wrong shares are named, and none of them counts', async () => {
  const sealed = await sealOnce();
  const start = startWith(sealed);
  const report = await start.report();
  const own = shareOf(anna, report);
  const altered = Buffer.from(own);
  altered[3] = (altered[3] as number) ^ 1;
  const good = handInOf(anna, start.boot.publicKey, report);
  const attempts: [HandIn, string][] = [
    [handInOf(anna, start.boot.publicKey, report, { share: altered }), 'SHARE_WRONG'],
    [handInOf(anna, start.boot.publicKey, report, { share: shareOf(ben, report) }), 'SHARE_WRONG'],
    [handInOf(anna, start.boot.publicKey, report, { share: Buffer.alloc(0) }), 'SHARE_WRONG'],
    [handInOf(anna, recipient().publicKey, report), 'SHARE_SEALED_WRONG'],
    [{ ...good, envelope: 'AAAA' }, 'SHARE_SEALED_WRONG'],
    [handInOf(anna, start.boot.publicKey, { ...report, boot: '11'.repeat(32) }), 'SHARE_OTHER_BOOT'],
    [handInOf(anna, start.boot.publicKey, { ...report, manifestHash: '22'.repeat(32) }), 'SHARE_OTHER_MANIFEST'],
    [handInOf({ ...dora, name: 'anna' }, start.boot.publicKey, report, { share: own }), 'SHARE_UNKNOWN_HOLDER'],
    [handInOf(anna, start.boot.publicKey, report, { proposal: '33'.repeat(32) }), 'PROPOSAL_UNKNOWN'],
  ];
  for (const [message, reason] of attempts)
    await expect(start.handIn(message)).rejects.toMatchObject(refusedWith(reason));
  for (const text of ['{}', 'null', '[', '{"version":1}', 'x'.repeat(5000)]) {
    await expect(start.provider.ceremony?.(Buffer.from(text))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  }
  await start.handIn(good);
  await expect(start.handIn(good)).rejects.toMatchObject(refusedWith('SHARE_DUPLICATE'));
  await expect(start.give(anna)).rejects.toMatchObject(refusedWith('SHARE_DUPLICATE'));
  expect((await start.report()).phase).toBe('waiting');
  await start.give(ben);
  expect((await start.opened).equals(rootKey)).toBe(true);
});

test('a share handed to one start is worth nothing at another', async () => {
  const sealed = await sealOnce();
  const [first, second] = [startWith(sealed), startWith(sealed)];
  const message = handInOf(anna, first.boot.publicKey, await first.report());
  await first.handIn(message);
  await expect(second.handIn(message)).rejects.toMatchObject(refusedWith('SHARE_OTHER_BOOT'));
  const boot = (await second.report()).boot;
  await expect(second.handIn({ ...message, boot })).rejects.toMatchObject(refusedWith('SHARE_SEALED_WRONG'));
});

test('holders change by the word of a quorum, and the earlier shares are refused by name', async () => {
  const sealed = await sealOnce();
  const running = startWith(sealed);
  await running.give(anna);
  await running.give(ben);
  await running.opened;
  const before = await running.report();
  const proposal = proposalOf([anna, carl, dora], 3, Buffer.from(before.manifestHash, 'hex'));
  propose(proposal);
  const hash = proposalHash(proposal).toString('hex');
  expect((await running.report()).proposal).toMatchObject({ hash, agreed: [] });
  expect((await running.give(ben, { proposal: hash })).proposal?.agreed).toEqual(['ben']);
  await expect(running.give(ben, { proposal: hash })).rejects.toMatchObject(refusedWith('SHARE_DUPLICATE'));
  expect(running.replaced).toEqual([]);
  const after = await running.give(carl, { proposal: hash });
  expect(after.proposal).toBeNull();
  expect(after.holders.map(({ name }) => name)).toEqual(['anna', 'carl', 'dora']);

  const next = startWith(running.replaced[0] as SealedRoot);
  expect(next.said).toEqual(['waiting for shares: 0 of 3']);
  const old = handInOf(anna, next.boot.publicKey, { ...before, boot: (await next.report()).boot });
  await expect(next.handIn(old)).rejects.toMatchObject(refusedWith('SHARE_OTHER_MANIFEST'));
  const disguised = handInOf(anna, next.boot.publicKey, await next.report(), { share: shareOf(anna, before) });
  await expect(next.handIn(disguised)).rejects.toMatchObject(refusedWith('SHARE_WRONG'));
  for (const holder of [dora, anna, carl]) await next.give(holder);
  expect((await next.opened).equals(rootKey)).toBe(true);
});

test('a word for one proposal is not a word for another, nor for a start', async () => {
  const running = startWith(await sealOnce());
  await running.give(anna);
  await running.give(ben);
  const previous = Buffer.from((await running.report()).manifestHash, 'hex');
  const [one, other] = [proposalOf([anna, ben], 2, previous), proposalOf([anna, dora], 2, previous)];
  const hashOf = (proposal: Buffer) => proposalHash(proposal).toString('hex');
  propose(one);
  await running.give(anna, { proposal: hashOf(one) });
  const word = handInOf(ben, running.boot.publicKey, await running.report(), { proposal: hashOf(one) });
  propose(other);
  await expect(running.handIn(word)).rejects.toMatchObject(refusedWith('PROPOSAL_UNKNOWN'));
  await expect(running.handIn({ ...word, proposal: hashOf(other) })).rejects.toMatchObject(
    refusedWith('SHARE_SEALED_WRONG'),
  );
  expect((await running.give(ben, { proposal: hashOf(other) })).proposal?.agreed).toEqual(['ben']);
  expect(running.replaced).toEqual([]);
});

test('a sealing file whose manifest or shares were altered is refused', async () => {
  const sealed = await sealOnce();
  const manifest = Buffer.from(sealed.manifest as Buffer);
  // The key of a holder who does not hand in: only the tag under the root key can tell.
  const at = manifest.indexOf(carl.publicKey);
  recipient().publicKey.forEach((byte, index) => {
    manifest[at + index] = byte;
  });
  const start = startWith({ ...sealed, manifest });
  const shown = await start.report();
  const real = await startWith(sealed).report();
  for (const holder of [anna, ben]) {
    const share = shareOf(holder, real);
    await start.handIn(handInOf(holder, start.boot.publicKey, shown, { share })).catch(() => {});
  }
  await expect(start.opened).rejects.toThrow('manifest of the shares was altered');
  expect(() => startWith({ ...sealed, manifest: Buffer.from('x') })).toThrow('restore it from the backup');
  expect(() => startWith({ ...sealed, envelopes: [] })).toThrow('a share is missing');
  expect(() => startWith({})).toThrow('a part is missing');
});
