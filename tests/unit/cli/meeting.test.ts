import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { openMeeting, shareSocket } from '../../../src/cli/meeting.ts';

const [enclaveUid, apiUid] = [1_900_000_001, 1_900_000_002];
const { signal } = new AbortController();
let folder: string;
let socket: string;
beforeEach(() => {
  const above = mkdtempSync(join(tmpdir(), 'countersign-meeting-'));
  onTestFinished(() => rmSync(above, { recursive: true }));
  folder = join(above, 'meeting');
  socket = join(folder, 'socket');
});

async function listen(): Promise<void> {
  const umask = process.umask(0o177);
  const server = createServer().listen(socket);
  process.umask(umask);
  onTestFinished(() => void server.close());
  await once(server, 'listening');
}

const owners = (path: string) => {
  const { uid, gid, mode } = statSync(path);
  return [uid, gid, mode & 0o7777];
};

describe.runIf(process.getuid?.() === 0)('as root', () => {
  const asEnclave = () => openMeeting(socket, 'enclave', enclaveUid);
  const asApi = () => openMeeting(socket, 'api', apiUid);

  test.each([
    ['the enclave, then api', [asEnclave, asApi]],
    ['api, then the enclave', [asApi, asEnclave]],
    ['the enclave again', [asEnclave, asApi, asEnclave]],
  ])('the folder is of both, whoever comes first: %s', (_, starts) => {
    for (const start of starts) expect(start()).toBe(folder);
    expect(owners(folder)).toEqual([enclaveUid, apiUid, 0o710]);
  });

  test('the groups and rights that a folder had are gone', () => {
    mkdirSync(folder);
    chmodSync(folder, 0o2777);
    asEnclave();
    expect(owners(folder)).toEqual([enclaveUid, 0, 0o710]);
  });

  test('the socket becomes that of api, be it there before or after', async () => {
    asEnclave();
    await listen();
    await shareSocket(socket, true, signal);
    expect(owners(socket)).toEqual([0, 0, 0o600]);
    asApi();
    expect(owners(socket)).toEqual([apiUid, apiUid, 0o600]);
    openMeeting(socket, 'api', apiUid + 1);
    expect(owners(socket)).toEqual([apiUid + 1, apiUid + 1, 0o600]);
    await shareSocket(socket, true, signal);
    expect(owners(socket)).toEqual([apiUid + 1, apiUid + 1, 0o600]);
  });

  test('what is no socket, or a link to something, is given to nobody', async () => {
    asEnclave();
    const target = join(folder, '..', 'secret');
    writeFileSync(target, '', { mode: 0o600 });
    symlinkSync(target, socket);
    asApi();
    await shareSocket(socket, true, signal);
    expect(owners(target)).toEqual([0, 0, 0o600]);
  });

  test('a folder that holds anything else, or cannot be made, is refused and left as it is', () => {
    mkdirSync(folder);
    writeFileSync(join(folder, 'other'), '');
    const before = owners(folder);
    for (const start of [asEnclave, asApi]) expect(start).toThrow(`the folder ${folder} holds other things`);
    expect(owners(folder)).toEqual(before);
    const nowhere = join(folder, 'other', 'folder', 'socket');
    expect(() => openMeeting(nowhere, 'api', apiUid)).toThrow(/cannot be made \((?:ENOTDIR|ENOENT)\)/);
  });
});

describe('without root', () => {
  test.each([
    [0o700, 0o600],
    [0o750, 0o600],
    [0o770, 0o660],
    [0o2770, 0o660],
  ])('in a folder of mode %o the socket has mode %o', async (folderMode, socketMode) => {
    mkdirSync(folder);
    chmodSync(folder, folderMode);
    expect(openMeeting(socket, 'enclave', null)).toBe(folder);
    await listen();
    await shareSocket(socket, false, signal);
    expect(statSync(socket).mode & 0o777).toBe(socketMode);
  });

  test('the folder must be there', () => {
    expect(() => openMeeting(socket, 'enclave', null)).toThrow(`there is no folder ${folder}`);
  });
});
