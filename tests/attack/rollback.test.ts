/**
 * Whoever restores earlier states (DESIGN §1: the database; root on the host): the database, whole or one organization of it, the
 * enclave's folder, the TPM's state, running and across a restart, under each anchor. What an anchor does not protect from is
 * tested too, so that docs/anchors.md says the truth.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createEnclave } from '../../src/enclave/enclave.ts';
import { readSettings } from '../../src/enclave/settings.ts';
import { openTpm } from '../../src/enclave/tpm/client.ts';
import { defineNv, extendNv, undefineNv } from '../../src/enclave/tpm/nv.ts';
import { createPrimary, startSession, storageKeyTemplate } from '../../src/enclave/tpm/objects.ts';
import { passwordSession } from '../../src/enclave/tpm/session.ts';
import type { AnchorName } from '../../src/protocol/witness-policy.ts';
import { enrolAnew } from '../../src/witness/store.ts';
import {
  type AnchoredHost,
  type Part,
  type Snapshot,
  startAnchoredHost,
  verifierKey,
} from '../support/anchored-host.ts';
import type { TestEnclave } from '../support/enclave-process.ts';
import { hex } from '../support/memory-storage.ts';
import { createResident, type Resident, sign } from '../support/resident.ts';
import { hasSwtpm } from '../support/swtpm.ts';
import { query, reasonOf, resultOf, submit } from '../support/wire.ts';

let host: AnchoredHost;
let alice: Resident;
let bob: Resident;
/** Before alice deleted the API key that was stolen from her, and after it. */
let early: Snapshot;
let late: Snapshot;

async function begin(anchor: AnchorName): Promise<void> {
  host = await startAnchoredHost(anchor);
  alice = await createResident(host.wire, host.parent, 'Alice');
  bob = await createResident(host.wire, host.parent, 'Bob');
  early = await host.snapshot();
  await host.start().serving();
  const { body } = await query(host.wire, alice.byPasskey, 'get_api_keys', { userId: alice.userId });
  const [stolen] = body.apiKeys as [{ apiKeyId: string }];
  const parameters = { userId: alice.userId, apiKeyIds: [stolen.apiKeyId] };
  resultOf(await submit(host.wire, alice.byPasskey, 'delete_api_keys', 'DELETE_API_KEYS', parameters));
  late = await host.snapshot();
}

const byStolenKey = () => sign(host.wire, alice.byApiKey, alice.addresses[0]);
const byAlice = () => sign(host.wire, alice.byPasskey, alice.addresses[0]);

const anchors: readonly AnchorName[] = ['file', 'file+tpm2', 'file+witness', 'file+tpm2+witness'];

describe.each(anchors)('with the anchor %s', { timeout: 20_000 }, (anchor) => {
  const hasTpm = anchor.includes('tpm2');
  const hasWitnesses = anchor.includes('witness');

  describe.skipIf(hasTpm && !hasSwtpm)('(skipped where it needs swtpm and that is not installed)', () => {
    beforeAll(() => begin(anchor), 60_000);
    afterAll(() => host?.remove());
    // Whatever was tried, the right state is served again.
    afterEach(async () => {
      await host.restore(late, ['database', 'folder', 'tpm', 'witness 0', 'witness 1', 'witness 2']);
      await host.start().serving();
      expect([(await byAlice()).status, (await byStolenKey()).status]).toEqual([200, 401]);
      late = await host.snapshot();
    });

    test('the database of earlier, across a restart: refused, with what is known and what to do', async () => {
      await host.restore(early, ['database']);
      const reason = await refusal(host.start());
      expect(reason).toMatch(/does not hold batch \d+.*The anchor is at batch \d+, of .* ends with batch \d+\./);
      expect(reason).toMatch(/countersign accept-state --root [0-9a-f]{64}$/);
      expect(reason).toContain(`${alice.organizationId} at sequence `);
      expect(reason).not.toContain(bob.organizationId);
      expect(reasonOf(await byStolenKey())).toBe('STATE_REFUSED');
    });

    test('the database of earlier, while it runs: the enclave goes by what it knows', async () => {
      await host.start().serving();
      host.storage.tables = early.tables;
      expect((await byStolenKey()).status).not.toBe(200);
    });

    test('one organization of earlier: it is refused, the others are served', async () => {
      await host.restore(late, ['database', 'folder']);
      putBack(alice.organizationId);
      await host.start().serving();
      expect(reasonOf(await byStolenKey())).toBe('ROW_INTEGRITY');
      expect((await sign(host.wire, bob.byPasskey, bob.addresses[0])).status).toBe(200);
    });

    const everything: Part[] = ['database', 'folder'];
    if (anchor === 'file') {
      test('database and folder of earlier, by root: served, which is the limit of the file', async () => {
        await host.restore(early, everything);
        await host.start().serving();
        expect((await byStolenKey()).status).toBe(200);
      });
    } else {
      test('database and folder of earlier, by root: refused', async () => {
        await host.restore(early, everything);
        const reason = await refusal(host.start());
        expect(reason).toMatch(
          hasWitnesses ? /FORK_DETECTED: witness w\d has cosigned/ : /the TPM has seen other batches/,
        );
        expect(reasonOf(await byStolenKey())).toBe('STATE_REFUSED');
      });
    }

    test('the folder of earlier, alone: the database is ahead of it by more than a crash can leave, and refused', async () => {
      await host.restore(early, ['folder']);
      expect(await refusal(host.start())).toMatch(/batches behind the anchor|has seen other batches|FORK_DETECTED/);
    });

    test('the folder without its anchor: refused', async () => {
      rmSync(join(host.folder, 'anchor'));
      const settings = readSettings({ ...host.settings, COUNTERSIGN_ENCLAVE_DIR: host.folder });
      await expect(createEnclave(settings, () => {}).opened).rejects.toThrow(/no anchor: restore both from one backup/);
    });

    if (hasTpm) {
      test(`database, folder and the TPM's state of earlier: ${hasWitnesses ? 'refused' : 'served, which is the limit of a TPM whose state is a file'}`, async () => {
        await host.restore(early, [...everything, 'tpm']);
        const started = host.start();
        if (!hasWitnesses) {
          await started.serving();
          return expect((await byStolenKey()).status).toBe(200);
        }
        expect(await refusal(started)).toMatch(/FORK_DETECTED: witness/);
      });

      test("the TPM's state of earlier, alone: refused", async () => {
        await host.restore(early, ['tpm']);
        expect(await refusal(host.start())).toMatch(/the TPM has seen other batches/);
      });

      test('the index deleted, or made anew with the same contents, by the owner of the TPM: refused', async () => {
        host.stop();
        await host.chip?.restart();
        const tpm = await openTpm(host.settings.COUNTERSIGN_TPM as string);
        const index = await chainIndex(tpm);
        const mine = { index, kind: 'extend', auth: randomBytes(32) } as const;
        await undefineNv(tpm, mine, true, passwordSession);
        await tpm.close();
        expect(await refusal(host.start())).toMatch(/the TPM has lost the index of this enclave/);
        host.stop();
        await host.chip?.restart();
        const again = await openTpm(host.settings.COUNTERSIGN_TPM as string);
        const other = await startSession(again, await createPrimary(again, storageKeyTemplate), 'hmac');
        await defineNv(again, mine, other);
        await extendNv(again, mine, randomBytes(32), other, true);
        await again.close();
        expect(await refusal(host.start())).toMatch(/deleted and made anew by somebody else/);
      });
    }

    if (hasWitnesses) {
      test('database, folder and a minority of the witnesses of earlier: refused', async () => {
        await host.restore(early, [...everything, 'tpm', 'witness 0']);
        expect(await refusal(host.start())).toMatch(/FORK_DETECTED: witness w[23]/);
      });

      if (!hasTpm) {
        test('database, folder and a majority of the witnesses of earlier, the third one out of reach: the limit', async () => {
          await host.restore(early, [...everything, 'witness 0', 'witness 1']);
          await host.witnesses[2]?.stop();
          await host.start().serving();
          expect((await byStolenKey()).status).toBe(200);
        });
      }
    }
  });
});

describe('an accepted restore', () => {
  beforeAll(() => begin('file+witness'), 60_000);
  afterAll(() => host?.remove());

  test('needs the witnesses to enrol the log anew, starts a new epoch, and stands in the log', async () => {
    await host.restore(early, ['database']);
    const root = /--root ([0-9a-f]{64})$/.exec(await refusal(host.start()))?.[1];
    accept(root);
    await expectReason(/The accepted state is not taken: .*--enrol-anew countersign\/[0-9a-f]{16}/);
    const batches = host.storage.tables.batches.size;
    await new Promise((resolve) => setTimeout(resolve, 500));
    // Trying again writes nothing.
    expect(host.storage.tables.batches.size).toBe(batches);
    const log = await verifierKey(host);
    for (const witness of host.witnesses) {
      await witness.stop();
      enrolAnew(witness.folder, log.split('+')[0] as string);
      await witness.start([log]);
    }
    const started = host.enclave();
    await started.serving();
    const { checkpoint } = await started.status();
    expect(checkpoint).toMatch(/epoch 1\n/);
    const newest = [...host.storage.tables.batches.values()].at(-1);
    expect(Buffer.from(newest?.entries ?? []).toString('latin1')).toContain('acceptState');
    // What was stamped before the new epoch is not carried out in it.
    expect(reasonOf(await byAlice())).toBe('INVALID_TIME');
  }, 60_000);
});

describe.skipIf(!hasSwtpm)('a TPM that was cleared or replaced (skipped where swtpm is not installed)', () => {
  beforeAll(() => begin('file+tpm2'), 60_000);
  afterAll(() => host?.remove());

  test('is refused, and taken by the word of the operator', async () => {
    host.stop();
    rmSync(join(host.chip?.socket ?? '', '..', 'state'), { recursive: true });
    const empty = join(host.folder, '..', `empty-tpm-${randomBytes(4).toString('hex')}`);
    mkdirSync(empty);
    mkdirSync(join(host.chip?.socket ?? '', '..', 'state'));
    await host.chip?.restart(empty);
    rmSync(empty, { recursive: true });
    const reason = await refusal(host.start());
    expect(reason).toContain('the TPM is another one than before');
    accept(/--root ([0-9a-f]{64})$/.exec(reason)?.[1]);
    await host.enclave().serving();
    expect((await host.enclave().status()).checkpoint).toMatch(/epoch 1\n/);
    expect((await byStolenKey()).status).toBe(401);
    // From here on it is the one that counts.
    await host.start().serving();
  }, 60_000);
});

/** The reason of a refusal; that too few witnesses answer so far is none yet. */
async function refusal(enclave: TestEnclave): Promise<string> {
  for (;;) {
    const { phase, reason } = await enclave.status();
    if (phase === 'serving') throw new Error('the enclave serves');
    if (phase !== 'booting' && reason !== null) return reason;
    await sleep(10);
  }
}

function accept(root: string | undefined): void {
  expect(root).toMatch(/^[0-9a-f]{64}$/);
  writeFileSync(join(host.folder, 'accept-state.json'), JSON.stringify({ version: 1, root }));
}

async function expectReason(pattern: RegExp): Promise<void> {
  await expect.poll(async () => (await host.enclave().status()).reason, { timeout: 10_000 }).toMatch(pattern);
}

/** Puts the rows of one organization back to what they were early on. */
function putBack(organizationId: string): void {
  const id = organizationId.replaceAll('-', '');
  const { tables } = host.storage;
  for (const name of ['heads', 'pages', 'keys', 'activities'] as const) {
    const [now, then] = [tables[name] as Map<string, unknown>, early.tables[name] as Map<string, unknown>];
    for (const key of now.keys()) if (key.startsWith(id)) now.delete(key);
    for (const [key, row] of then) if (key.startsWith(id)) now.set(key, row);
  }
  expect(hex(tables.heads.get(id)?.organizationId ?? new Uint8Array())).toBe(id);
}

/** The number of the enclave's index that extends: the lower one of the two. */
async function chainIndex(tpm: Awaited<ReturnType<typeof openTpm>>): Promise<number> {
  const { parameters } = await tpm.execute({
    code: 0x17a,
    parameters: [Buffer.from('0000000101500000000000ff', 'hex')],
  });
  parameters.take(5);
  expect(parameters.u32()).toBeGreaterThan(1);
  return parameters.u32();
}
