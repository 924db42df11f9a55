/**
 * Whoever stands between the holders of the root key's shares and the enclave, or has the files of either: `api`, the network,
 * the host at rest. What must hold: no share reaches anybody but the enclave that its holder means, and the enclave
 * opens with the shares of a quorum of its present manifest, or not at all.
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { propose } from '../../src/cli/ceremony/propose.ts';
import { checkShare, giveShare } from '../../src/cli/ceremony/share.ts';
import { ceremony } from '../../src/cli/ceremony.ts';
import { readSettings } from '../../src/cli/settings.ts';
import { type Cbor, decode, encode } from '../../src/protocol/cbor.ts';
import type { CeremonyReport, HandIn } from '../../src/protocol/ceremony/hand-in.ts';
import { recipient } from '../support/holders.ts';
import { createMemoryStorage, type MemoryStorage } from '../support/memory-storage.ts';
import { addHolder, hand, type QuorumEnclave, quorumFolder, startQuorumEnclave } from '../support/quorum-enclave.ts';

let place: ReturnType<typeof quorumFolder>;
let storage: MemoryStorage;
let manifest: string;
const running: QuorumEnclave[] = [];

const keyOf = (name: string): string => (place.files[name] as { path: string }).path;

async function start(more?: Readonly<Record<string, string>>): Promise<QuorumEnclave> {
  const enclave = await startQuorumEnclave(place.folder, storage, more);
  running.push(enclave);
  return enclave;
}

/** Ends all that run, and starts one on the same folder. */
async function restart(more?: Readonly<Record<string, string>>): Promise<QuorumEnclave> {
  for (const enclave of running.splice(0)) enclave.stop();
  return start(more);
}

beforeEach(async () => {
  place = quorumFolder(2, 'anna', 'ben', 'carl');
  storage = createMemoryStorage();
  const first = await start();
  while ((await first.status()).reason === null);
  manifest = (await first.report()).manifestHash;
  for (const name of ['anna', 'ben', 'carl'])
    await checkShare({ url: first.url, key: keyOf(name), manifest, passphraseFile: undefined });
});

afterEach(() => {
  for (const enclave of running.splice(0)) enclave.stop();
  place.remove();
});

const waitsStill = async (enclave: QuorumEnclave, count: number) =>
  expect(await enclave.status()).toMatchObject({
    phase: 'booting',
    reason: expect.stringContaining(`waiting for shares: ${count} of 2`),
  });

test('any two of three open it, at each start anew, and it serves', async () => {
  for (const pair of [
    ['anna', 'ben'],
    ['carl', 'anna'],
    ['ben', 'carl'],
  ] as const) {
    const enclave = await restart();
    await waitsStill(enclave, 0);
    expect((await hand(enclave, keyOf(pair[0]))).phase).toBe('waiting');
    await waitsStill(enclave, 1);
    expect((await hand(enclave, keyOf(pair[1]))).phase).toBe('open');
    await enclave.serving();
    expect((await enclave.status()).reason).toBeNull();
  }
});

test('api puts its own key into the attestation: the holder keeps the share', async () => {
  const enclave = await restart();
  const { boot } = await enclave.report();
  const own = recipient().publicKey;
  const swap = (text: unknown) => {
    const statement = decode(Buffer.from(String(text), 'base64url')) as { [name: string]: Cbor };
    return encode({ ...statement, encryptionKey: own });
  };
  let sent = 0;
  enclave.lie('/ceremony/shares', (answer) => {
    sent++;
    return answer;
  });
  enclave.lie('/attestation', (answer) => ({ ...answer, statement: swap(answer.statement).toString('base64url') }));
  await expect(hand(enclave, keyOf('anna'), { boot })).rejects.toThrow('the boot statement was altered');

  // With a boot id to match it is another start than the one that the operator read from the enclave's log.
  enclave.lie('/attestation', (answer) => {
    const statement = swap(answer.statement);
    return {
      ...answer,
      statement: statement.toString('base64url'),
      bootId: createHash('sha256').update(statement).digest('hex'),
    };
  });
  await expect(hand(enclave, keyOf('anna'), { boot })).rejects.toThrow('this is not the start that you accept');
  expect(sent).toBe(0);
  await waitsStill(enclave, 0);
});

test('api says of another manifest that it is the one that was compared: the hash shown is its own', async () => {
  const enclave = await restart();
  const evil = encode({
    ...(decode(Buffer.from((await enclave.report()).manifest, 'base64url')) as { [name: string]: Cbor }),
    threshold: 3,
  });
  enclave.lie('/ceremony', (answer) => ({ ...answer, manifest: evil.toString('base64url') }));
  const written: string[] = [];
  const stdout = vi.spyOn(process.stdout, 'write').mockImplementation((text) => written.push(String(text)) > 0);
  await ceremony(readSettings({}), ['status', '--url', enclave.url]).finally(() => stdout.mockRestore());
  expect(written.join('')).toContain('3 of 3 holders');
  expect(written.join('')).not.toContain(manifest);
});

test('api writes to the holder’s terminal: what it says is shown as it is, or not at all', async () => {
  const enclave = await restart();
  const clear = '\u001b[2J';
  enclave.lie('/ceremony', (answer) => ({
    ...answer,
    holders: (answer as CeremonyReport).holders.map((each) => ({ ...each, name: `${each.name}${clear}` })),
  }));
  await expect(hand(enclave, keyOf('anna'))).rejects.toThrow('answers with something else');
  for (const answer of [{}, [], 'text', { phase: 'waiting' }]) {
    enclave.lie('/ceremony', () => answer);
    await expect(hand(enclave, keyOf('anna'))).rejects.toThrow('answers with something else');
  }
  enclave.lie('/attestation', () => ({}));
  await expect(hand(enclave, keyOf('anna'))).rejects.toThrow('answers with something else');
  await waitsStill(enclave, 0);
});

test('an attestation of an earlier start is shown: the holder keeps the share', async () => {
  const earlier = running[0] as QuorumEnclave;
  const old = await (await fetch(`${earlier.url}/attestation?nonce=00`)).json();
  const enclave = await restart();
  const { boot } = await enclave.report();
  enclave.lie('/attestation', () => old);
  await expect(hand(enclave, keyOf('anna'), { boot })).rejects.toThrow('this is not the start that you accept');
  // Nor does it help to talk the holder into the earlier start, whose key nobody has any more.
  await expect(hand(enclave, keyOf('anna'), { boot: old.bootId })).rejects.toThrow('started anew');
  enclave.lie('/ceremony', (answer) => ({ ...answer, boot: old.bootId }));
  await expect(hand(enclave, keyOf('anna'), { boot: old.bootId })).rejects.toThrow('sealed for another start');
  await waitsStill(enclave, 0);
});

test('an enclave of other code: the holder keeps the share', async () => {
  const enclave = await restart({ COUNTERSIGN_MEASUREMENT: 'ab'.repeat(48) });
  await expect(hand(enclave, keyOf('anna'), { measurements: ['cd'.repeat(48)] })).rejects.toThrow(
    'other code than you accept',
  );
  await hand(enclave, keyOf('anna'), { measurements: ['cd'.repeat(48), 'ab'.repeat(48)] });
  await waitsStill(enclave, 1);
});

test('evidence that nobody can verify is no evidence', async () => {
  const enclave = await restart();
  const { statement } = (await (await fetch(`${enclave.url}/attestation?nonce=00`)).json()) as { statement: string };
  const { measurement } = decode(Buffer.from(statement, 'base64url')) as { [name: string]: Cbor };
  const policy = {
    code: [Buffer.from(measurement as Uint8Array).toString('hex')],
    platforms: { nitro: [{ pcr0: 'ab' }] },
  };
  const give = (accepted: typeof policy | null) =>
    giveShare({
      url: enclave.url,
      key: keyOf('anna'),
      passphraseFile: undefined,
      manifest: undefined,
      trust: { policy: accepted, measurements: [], unattestedBoot: null },
      proposal: null,
    });
  await expect(give(policy)).rejects.toThrow('ordinary machine');
  enclave.lie('/attestation', (answer) => ({ ...answer, evidence: { platform: 'sgx' } }));
  await expect(give(null)).rejects.toThrow('--policy');
  await expect(give(policy)).rejects.toThrow('no verifier');
  enclave.lie('/attestation', (answer) => ({ ...answer, evidence: { platform: 'nitro', document: 'AAAA' } }));
  await expect(give(policy)).rejects.toThrow('the attestation is refused');
  await waitsStill(enclave, 0);
});

test('who has measurements to check is not talked into giving them up', async () => {
  const enclave = await restart();
  const { boot } = await enclave.report();
  const trust = ['--policy', join(place.dataDir, 'policy.json'), '--accept-unattested', boot];
  const words = ['share', '--key', keyOf('anna'), '--url', enclave.url, ...trust];
  await expect(ceremony(readSettings({}), words)).rejects.toThrow('expected without --policy');
  await waitsStill(enclave, 0);
});

test('api replays a share: to the same start, to the next one, to a second enclave', async () => {
  const enclave = await restart();
  const seen: HandIn[] = [];
  const post = (to: QuorumEnclave, message: HandIn) =>
    fetch(`${to.url}/ceremony/shares`, { method: 'POST', body: JSON.stringify(message) }).then(
      async (response) => (await response.json()) as { message?: string },
    );
  const { globalFetch, restore } = spyOnFetch(seen);
  await hand(enclave, keyOf('anna')).finally(restore);
  expect(globalFetch).toBe(fetch);
  const [share] = seen as [HandIn];
  expect((await post(enclave, share)).message).toContain('is there already');
  await waitsStill(enclave, 1);
  const second = await start();
  expect((await post(second, share)).message).toContain('another start');
  const { boot } = await second.report();
  expect((await post(second, { ...share, boot })).message).toContain('cannot be opened');
  await waitsStill(second, 0);
});

/** Keeps what holders post, as whoever passes it on can. */
function spyOnFetch(seen: HandIn[]) {
  const globalFetch = globalThis.fetch;
  globalThis.fetch = (input, options) => {
    if (typeof options?.body === 'string') seen.push(JSON.parse(options.body));
    return globalFetch(input, options);
  };
  return {
    globalFetch,
    restore() {
      globalThis.fetch = globalFetch;
    },
  };
}

test('the same holder twice is one share', async () => {
  const enclave = await restart();
  await hand(enclave, keyOf('anna'));
  await expect(hand(enclave, keyOf('anna'))).rejects.toThrow('is there already');
  await waitsStill(enclave, 1);
});

test('a corrupted share: refused where it is kept, by its holder, and by the enclave', async () => {
  const enclave = await restart();
  const alterEnvelope = (answer: Record<string, unknown>) => {
    const report = answer as CeremonyReport;
    const holders = report.holders.map((each) => ({ ...each, envelope: flip(each.envelope) }));
    return { ...report, holders };
  };
  enclave.lie('/ceremony', alterEnvelope);
  await expect(hand(enclave, keyOf('anna'))).rejects.toThrow('cannot be opened with your key');
  // Everybody gets the envelope of somebody else.
  enclave.lie('/ceremony', (answer) => {
    const report = answer as CeremonyReport;
    return {
      ...report,
      holders: report.holders.map((each, index) => ({ ...each, envelope: report.holders.at(index - 1)?.envelope })),
    };
  });
  await expect(hand(enclave, keyOf('anna'))).rejects.toThrow('cannot be opened with your key');
  await waitsStill(enclave, 0);
});

const flip = (text: string): string => {
  const bytes = Buffer.from(text, 'base64url');
  bytes[70] = (bytes[70] as number) ^ 1;
  return bytes.toString('base64url');
};

test('the key of a holder is swapped in the manifest at rest: holders and enclave refuse', async () => {
  const path = join(place.folder, 'sealing');
  const honest = readFileSync(path);
  const content = decode(honest) as { [name: string]: Cbor };
  const altered = Buffer.from(content.manifest as Uint8Array);
  const at = altered.indexOf(Buffer.from(place.files.carl?.file.publicKey as string, 'hex'));
  altered.set(recipient().publicKey, at);
  for (const enclave of running.splice(0)) enclave.stop();
  writeFileSync(path, encode({ ...content, manifest: altered }));
  const enclave = await start();
  await expect(hand(enclave, keyOf('anna'))).rejects.toThrow('it was altered');
  // Holders who accept it all the same, without a look, cannot open their shares: those are sealed for the real manifest.
  const shown = (await enclave.report()).manifestHash;
  const careless = addHolder(place.dataDir, 'careless');
  writeFileSync(
    careless.path,
    readFileSync(keyOf('anna'), 'utf8').replace(/"accepted": \{[^}]*\}/, '"accepted": null'),
  );
  await expect(hand(enclave, careless.path, { manifest: shown })).rejects.toThrow('cannot be opened with your key');
  await waitsStill(enclave, 0);
});

test('holders change; then the old manifest is restored: holders who know better refuse', async () => {
  const path = join(place.folder, 'sealing');
  const enclave = await restart();
  await hand(enclave, keyOf('anna'));
  await hand(enclave, keyOf('ben'));
  await enclave.serving();
  const before = readFileSync(path);
  const dora = addHolder(place.dataDir, 'dora');
  const lines = [dora.line, place.files.anna?.line as string];
  const proposal = propose(place.dataDir, { threshold: '2', holders: lines }, false);
  await hand(enclave, keyOf('ben'), { proposal });
  await hand(enclave, keyOf('carl'), { proposal });

  const renewed = await restart();
  const next = (await renewed.report()).manifestHash;
  expect(next).not.toBe(manifest);
  await expect(hand(renewed, keyOf('ben'), { manifest: next })).rejects.toThrow('holds no share');
  await expect(hand(renewed, keyOf('anna'))).rejects.toThrow(`add --manifest ${next}`);
  await hand(renewed, keyOf('anna'), { manifest: next });
  await hand(renewed, dora.path, { manifest: next });
  await renewed.serving();
  expect(readFileSync(path).equals(before)).toBe(false);

  writeFileSync(path, before);
  const rolledBack = await restart();
  await expect(hand(rolledBack, keyOf('anna'))).rejects.toThrow('older than number 2 that you accepted');
  await expect(hand(rolledBack, keyOf('anna'), { manifest })).rejects.toThrow('older than number 2 that you accepted');
  await expect(hand(rolledBack, dora.path)).rejects.toThrow('older than number 2 that you accepted');
  await waitsStill(rolledBack, 0);
});

test('a crash at the very end of the first start: the manifest that holders saw stays, and nobody is asked twice', async () => {
  writeFileSync(join(place.folder, 'first-start'), '');
  const enclave = await restart();
  await hand(enclave, keyOf('anna'));
  await hand(enclave, keyOf('ben'));
  await enclave.serving();
  expect((await enclave.report()).manifestHash).toBe(manifest);
});

test('a crash of the enclave at any step of it loses no share and no holder', async () => {
  let enclave = await restart();
  await hand(enclave, keyOf('anna'));
  // What was handed in is gone with the process; the holder hands it in again.
  enclave = await restart();
  await waitsStill(enclave, 0);
  await hand(enclave, keyOf('anna'));
  await hand(enclave, keyOf('carl'));
  await enclave.serving();
  const proposal = propose(
    place.dataDir,
    { threshold: '2', holders: [place.files.anna?.line as string, place.files.ben?.line as string] },
    false,
  );
  await hand(enclave, keyOf('anna'), { proposal });
  // A word for new holders is gone likewise; the proposal stays.
  enclave = await restart();
  await hand(enclave, keyOf('ben'));
  await hand(enclave, keyOf('carl'));
  await enclave.serving();
  expect((await enclave.report()).proposal).toMatchObject({ hash: proposal, agreed: [] });
  await hand(enclave, keyOf('carl'), { proposal });
  await hand(enclave, keyOf('ben'), { proposal });
  // Until the new shares have opened a start the old ones stay: the operator can go back by removing sealing.next.
  enclave = await restart();
  expect(readFileSync(join(place.folder, 'sealing.next')).length).toBeGreaterThan(0);
  const next = (await enclave.report()).manifestHash;
  await hand(enclave, keyOf('anna'), { manifest: next });
  await hand(enclave, keyOf('ben'), { manifest: next });
  await enclave.serving();
  expect((await enclave.report()).holders.map(({ name }) => name)).toEqual(['anna', 'ben']);
});
