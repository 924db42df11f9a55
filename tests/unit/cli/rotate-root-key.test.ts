/** Rotation against a service that may be cut off after any of its answers, or between an act and its answer. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Caller } from '../../../src/cli/client.ts';
import { openRootFile, readRootFile } from '../../../src/cli/root-file.ts';
import { rotateRootKey } from '../../../src/cli/rotate-root-key.ts';
import { readSettings } from '../../../src/cli/settings.ts';

let dataDir = '';
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'countersign-rotate-'));
});
afterEach(() => rmSync(dataDir, { recursive: true }));

type Parameters = { apiKeys?: { publicKey: string }[]; apiKeyIds?: string[] };

/** Keys of one user; every call must be stamped by one that is there. Fails around the call number `cutAt`. */
function service(keys: Set<string>, cutAt: number, when: 'before' | 'after') {
  let calls = 0;
  const call = (caller: Caller, act: () => unknown): Promise<never> => {
    const stamp = JSON.parse(Buffer.from(caller.stamp('{}').value, 'base64url').toString());
    if (!keys.has(stamp.publicKey)) throw new Error('unknown key');
    const cut = ++calls === cutAt;
    if (cut && when === 'before') throw new Error('cut');
    const answer = act();
    if (cut) throw new Error('cut');
    return Promise.resolve(answer as never);
  };
  const list = () => ({
    apiKeys: [...keys].map((publicKey) => ({ apiKeyId: `id ${publicKey}`, credential: { publicKey } })),
  });
  return {
    query: (async (caller: Caller) => call(caller, list)) as never,
    act: (async (caller: Caller, name: string, _type: string, parameters: Parameters) =>
      call(caller, () => {
        const [created, deleted] = [parameters.apiKeys?.[0], parameters.apiKeyIds?.[0]];
        if (name === 'create_api_keys' && created) keys.add(created.publicKey);
        if (name === 'delete_api_keys' && deleted) keys.delete(deleted.slice(3));
        return {};
      })) as never,
  };
}

const cuts = [1, 2, 3, 4].flatMap((at) => [
  { at, when: 'before' as const },
  { at, when: 'after' as const },
]);

test.each(cuts)('cut off $when call $at, it is made good by the next', async ({ at, when }) => {
  const first = openRootFile(dataDir, readSettings({}), null);
  const keys = new Set([first.apiPublicKey]);
  const broken = service(keys, at, when);
  await expect(rotateRootKey(dataDir, broken.query, broken.act)).rejects.toThrow('cut');
  // Whatever happened, root.json holds a key that works.
  expect(keys).toContain(readRootFile(dataDir).apiPublicKey);
  const whole = service(keys, Number.POSITIVE_INFINITY, 'before');
  const publicKey = await rotateRootKey(dataDir, whole.query, whole.act);
  expect(publicKey).not.toBe(first.apiPublicKey);
  expect([...keys]).toEqual([publicKey]);
  expect(readRootFile(dataDir)).toEqual({
    ...first,
    apiPublicKey: publicKey,
    apiPrivateKey: readRootFile(dataDir).apiPrivateKey,
  });
  expect(existsSync(join(dataDir, 'root-rotation.json'))).toBe(false);
});
