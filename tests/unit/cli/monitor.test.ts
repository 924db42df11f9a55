import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LogFault, lookAt } from '../../../src/cli/monitor/follow.ts';
import { openLogReader } from '../../../src/cli/monitor/log-reader.ts';
import { type Kept, keep, readKept } from '../../../src/cli/monitor/state.ts';
import { monitor } from '../../../src/cli/monitor.ts';
import { OperatorError } from '../../../src/cli/operator-error.ts';
import { encode } from '../../../src/protocol/cbor.ts';
import { toEntryBundle } from '../../../src/protocol/entry-bundle.ts';
import { parseNote, parseVerifierKey, verifyNote } from '../../../src/protocol/log/signed-note.ts';
import { type LogServer, startLogServer } from '../../support/log-server.ts';

const entry = (index: number) => encode({ v: 1, kind: 'activity', digest: Buffer.alloc(32, index % 251), index });
const entriesTo = (size: number) => Array.from({ length: size }, (_, index) => entry(index));

let log: LogServer;
let folder: string;
beforeEach(async () => {
  log = await startLogServer();
  folder = mkdtempSync(join(tmpdir(), 'countersign-monitor-'));
});
afterEach(() => {
  log.close();
  rmSync(folder, { recursive: true });
});

const look = async (before?: Kept, logKey = log.verifierKey) =>
  lookAt(await openLogReader(log.url), logKey, before, () => {});
const faultOf = async (before?: Kept): Promise<LogFault> => {
  const error = await look(before).catch((error) => error);
  expect(error).toBeInstanceOf(LogFault);
  return error as LogFault;
};

describe('a log that grows', () => {
  test('is followed over any sizes, the same from the beginning as from in between', async () => {
    let kept: Kept | undefined;
    for (const size of [0, 1, 2, 255, 256, 257, 511, 512, 700, 1300]) {
      log.entries = entriesTo(size);
      const next = await look(kept);
      expect([next.from, next.size]).toEqual([kept ? next.from : 0, size]);
      expect((await look()).kept.subtrees).toEqual(next.kept.subtrees);
      kept = next.kept;
    }
  });

  test('a large one is a few tiles of hashes away, however many entries are read', async () => {
    log.entries = entriesTo(65_600);
    await look();
    expect(log.asked.filter((path) => /^tile\/\d/.test(path))).toEqual(['tile/2/000.p/1', 'tile/0/256.p/64']);
    expect(log.asked.filter((path) => path.startsWith('tile/entries/'))).toHaveLength(257);
  });

  test('what is kept comes back from its file as it was', async () => {
    log.entries = entriesTo(300);
    const { kept } = await look();
    keep(join(folder, 'state.json'), kept);
    expect(readKept(join(folder, 'state.json'))).toEqual(kept);
    log.entries = entriesTo(301);
    expect((await look(readKept(join(folder, 'state.json')))).size).toBe(301);
  });

  test('partial tiles that are full by now are taken from the full ones', async () => {
    log.entries = entriesTo(100);
    const { kept } = await look();
    log.lies.set('checkpoint', log.sign(entriesTo(200)));
    log.entries = entriesTo(256);
    log.lies.set('tile/0/000.p/200', null);
    log.lies.set('tile/entries/000.p/200', null);
    expect((await look(kept)).size).toBe(200);
  });

  test('starts and accepted states are told', async () => {
    const about = { boot: Buffer.alloc(32, 1), settings: Buffer.alloc(32), nonce: Buffer.alloc(16), time: 0 };
    const [boot, accepted] = [
      { v: 1, kind: 'boot', epoch: 0, ...about },
      { v: 1, kind: 'acceptState', epoch: 1, ...about },
    ];
    log.entries = [encode(boot), ...entriesTo(3), encode(accepted), Buffer.from('hello')];
    const { notices } = await look();
    expect(notices).toEqual([
      expect.stringContaining('entry 0: the service started, 1970-01-01'),
      expect.stringContaining('entry 4: the operator had a restored state accepted (epoch 1)'),
      expect.stringContaining('entry 5: it is none'),
    ]);
  });
});

describe('a log that lies', () => {
  let kept: Kept;
  beforeEach(async () => {
    log.entries = entriesTo(300);
    ({ kept } = await look());
  });

  test('forks at the same size', async () => {
    log.entries = [...entriesTo(299), entry(7)];
    const fault = await faultOf(kept);
    expect(fault.message).toContain('forked');
    for (const note of [fault.kept, fault.seen]) {
      expect(await verifyNote(parseNote(note as string), [parseVerifierKey(log.verifierKey)])).toHaveLength(1);
    }
  });

  test.each([0, 150, 299])('forks at entry %i and goes on', async (at) => {
    log.entries = entriesTo(400).with(at, entry(7777));
    expect((await faultOf(kept)).message).toContain('400 entries do not begin with the 300');
  });

  test('signs two maps over the organizations for the same entries', async () => {
    expect((await look(kept)).size).toBe(300);
    log.lies.set('checkpoint', log.sign(log.entries, Buffer.alloc(32, 1)));
    expect((await faultOf(kept)).message).toContain('two states of 300');
  });

  test('writes what would rewrite a terminal into its entries', async () => {
    const text = '\u001b[2K\n✓ countersign: as before';
    log.entries = [encode({ v: 1, kind: 'acceptState', boot: text, time: 0, epoch: text })];
    const notices = (await look()).notices.join();
    for (const control of ['\u001b', '\n']) expect(notices).not.toContain(control);
  });

  test('is full of entries that are to be told: the first thousand are, and how many more', async () => {
    log.entries = Array.from({ length: 1005 }, () => Buffer.from('hello'));
    const { notices } = await look();
    expect([notices.length, notices.at(-1)]).toEqual([1001, 'and 5 more']);
  });

  test('shrinks', async () => {
    log.entries = entriesTo(299);
    expect((await faultOf(kept)).message).toContain('shrank');
  });

  test('serves tiles of another tree', async () => {
    log.entries = entriesTo(400);
    log.lies.set('tile/0/001.p/144', Buffer.alloc(144 * 32));
    expect((await faultOf(kept)).message).toContain('tiles of the log do not make the root');
    expect((await faultOf()).message).toContain('tiles of the log do not make the root');
  });

  test('serves entries that it did not sign', async () => {
    log.entries = entriesTo(400);
    log.lies.set('tile/entries/001.p/144', toEntryBundle(entriesTo(400).slice(256).with(100, entry(1))));
    expect((await faultOf(kept)).message).toContain('entries that the log serves are not those');
  });

  test.each<[string, (server: LogServer) => void, string]>([
    ['no checkpoint', (server) => server.lies.set('checkpoint', null), 'no log at'],
    ['anything else', (server) => server.lies.set('checkpoint', '<html>'), 'no log at'],
    ['a tile cut short', (server) => server.lies.set('tile/0/001.p/144', Buffer.alloc(100)), 'cut short'],
    ['no tile', (server) => server.lies.set('tile/0/001.p/144', null), 'which its checkpoint says there is'],
    ['a bundle cut short', (server) => server.lies.set('tile/entries/001.p/144', Buffer.of(0, 9, 1)), 'cut short'],
  ])('%s is no evidence, and an error', async (_, lie, words) => {
    log.entries = entriesTo(400);
    lie(log);
    await expect(look(kept)).rejects.toThrow(words);
    await expect(look(kept)).rejects.not.toBeInstanceOf(LogFault);
  });

  test('a checkpoint by another key is none of this log', async () => {
    const other = await startLogServer();
    log.lies.set('checkpoint', other.sign(entriesTo(500)));
    other.close();
    await expect(look(kept)).rejects.toThrow('not signed by');
  });

  test('hashes of the state that were altered are not believed', async () => {
    const subtrees = kept.subtrees.map((subtree) => ({ ...subtree, root: Buffer.alloc(32) }));
    await expect(look({ ...kept, subtrees })).rejects.toThrow('damaged');
  });
});

describe('countersign monitor', () => {
  const main = new URL('../../../src/cli/main.ts', import.meta.url).pathname;
  async function run(...args: string[]) {
    const child = spawn(process.execPath, [main, 'monitor', ...args], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += chunk));
    const [code] = await once(child, 'close');
    return { code, text };
  }

  test('looks once, keeps, and ends with 2 and the evidence when the log forked', async () => {
    log.entries = entriesTo(300);
    const state = join(folder, 'log.json');
    const args = [log.url, '--log-key', log.verifierKey, '--state', state, '--once'];
    expect(await run(...args)).toMatchObject({ code: 0, text: expect.stringContaining('300 entries') });
    const { mtimeMs } = statSync(state);
    expect((await run(log.url, '--state', state, '--once')).text).toContain('300 entries, as before');
    log.entries = entriesTo(400).with(1, entry(5));
    const { code, text } = await run(...args);
    expect([code, text]).toEqual([2, expect.stringContaining('the evidence is in')]);
    const file = readdirSync(folder).find((name) => name.startsWith('log-evidence')) as string;
    const evidence = JSON.parse(readFileSync(join(folder, file), 'utf8'));
    expect(evidence).toMatchObject({
      logKey: log.verifierKey,
      kept: log.sign(entriesTo(300)),
      seen: log.sign(log.entries),
    });
    // What was right stays what is compared with.
    expect(readKept(state)?.checkpoint).toBe(evidence.kept);
    expect(statSync(state).mtimeMs).toBeGreaterThanOrEqual(mtimeMs);
  }, 60_000);

  test.each<[string, () => string[], string]>([
    ['no URL', () => [], 'usage: countersign monitor'],
    ['no log', () => [`${log.url}/nothing`, '--once'], 'there is no log at'],
    ['no key', () => [log.url, '--once'], '--log-key is needed'],
    [
      'another key than before',
      () => [log.url, '--state', join(folder, 'other.json'), '--once', '--log-key', log.verifierKey],
      'name another file',
    ],
    ['a key that is none', () => [log.url, '--once', '--log-key', 'key'], 'no verifier key'],
    ['no interval', () => [log.url, '--interval', '0'], '--interval: expected seconds'],
    ['an unknown option', () => [log.url, '--twice'], 'Unknown option'],
  ])('%s: says so', async (_, args, words) => {
    log.entries = entriesTo(1);
    writeFileSync(join(folder, 'other.json'), JSON.stringify({ logKey: 'a+b+c', checkpoint: '', subtrees: [] }));
    const error = await monitor(args()).catch((error) => error);
    expect(error.message).toContain(words);
    expect(error instanceof OperatorError || error.code.startsWith('ERR_PARSE_ARGS')).toBe(true);
  });
});
