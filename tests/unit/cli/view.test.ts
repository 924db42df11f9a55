import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { confine, type Isolation } from '../../../src/cli/confine.ts';
import { checkout, isWithin, type View, viewOperations } from '../../../src/cli/view.ts';

const outside = mkdtempSync(join(tmpdir(), 'countersign-view-'));
afterAll(() => rmSync(outside, { recursive: true }));

const viewOf = (dataDir: string): View => ({ dataDir, folders: [join(dataDir, 'api')], readable: [], etc: 'passwd' });

test('isWithin knows a folder from its neighbours', () => {
  expect(isWithin('/a/b', '/a')).toBe(true);
  expect(isWithin('/a', '/a')).toBe(true);
  expect(isWithin('/ab', '/a')).toBe(false);
  expect(isWithin('/', '/a')).toBe(false);
  expect(isWithin('/a/..b', '/a')).toBe(true);
});

describe('viewOperations', () => {
  test('hides a data directory inside the checkout before it shows the own folder in it', () => {
    const dataDir = join(checkout, 'data');
    const operations = viewOperations(viewOf(dataDir), '/passwd');
    const hidden = operations.findIndex(({ op, path }) => op === 'hide' && path === dataDir);
    const shown = operations.findIndex(({ op, path }) => op === 'rw' && path === join(dataDir, 'api'));
    const program = operations.findLastIndex(({ op }) => op === 'ro');
    expect(program).toBeLessThan(hidden);
    expect(hidden).toBeLessThan(shown);
  });

  test('shows nothing of a data directory elsewhere but the own folder', () => {
    const operations = viewOperations(viewOf(outside), '/passwd');
    expect(operations.filter(({ path }) => isWithin(path, outside))).toEqual([
      { op: 'rw', source: join(outside, 'api'), path: join(outside, 'api') },
    ]);
    expect(operations.some(({ path }) => path === '/etc')).toBe(false);
  });
});

describe('confine', () => {
  const uids = { enclave: 5000, api: 5001, postgres: 5002 };
  const tools = { setpriv: '/usr/bin/setpriv', unshare: '/usr/bin/unshare', bwrap: '/usr/bin/bwrap' };
  const isolationOf = (kind: Isolation['kind']): Isolation => ({
    kind,
    uids: kind.startsWith('uids') ? uids : null,
    tools,
    mountPoint: '/view',
    passwd: '/passwd',
  });
  const enclave = { role: 'enclave', view: viewOf(outside), network: false } as const;
  const api = { role: 'api', view: viewOf(outside), network: true } as const;

  test.each(['uids and namespaces', 'user namespaces'] as const)(
    '%s: only the enclave is without a network',
    (kind) => {
      expect(confine(isolationOf(kind), enclave, ['node'])).toContain('--net');
      expect(confine(isolationOf(kind), api, ['node'])).not.toContain('--net');
    },
  );

  test('bubblewrap: only the enclave is without a network', () => {
    expect(confine(isolationOf('bubblewrap'), enclave, ['node'])).toContain('--unshare-net');
    expect(confine(isolationOf('bubblewrap'), api, ['node'])).not.toContain('--unshare-net');
  });

  test.each(['uids', 'uids and namespaces'] as const)('%s: each role runs under its own uid', (kind) => {
    expect(confine(isolationOf(kind), enclave, ['node'])).toContain('--reuid=5000');
    expect(confine(isolationOf(kind), api, ['node'])).toContain('--reuid=5001');
  });

  test.each(['uids', 'uids and namespaces', 'user namespaces'] as const)('%s: no privilege is kept', (kind) => {
    const command = confine(isolationOf(kind), enclave, ['node', 'x']);
    expect(command).toEqual(expect.arrayContaining(['--no-new-privs', '--bounding-set=-all', '--inh-caps=-all']));
    expect(command.slice(-2)).toEqual(['node', 'x']);
  });

  test('PostgreSQL keeps the IPC namespace by which a second server is noticed', () => {
    const postgres = { role: 'postgres', view: viewOf(outside), network: true } as const;
    expect(confine(isolationOf('uids and namespaces'), postgres, ['postgres'])).not.toContain('--ipc');
  });
});
