import { afterEach, describe, expect, test, vi } from 'vitest';
import { keepRunning, launch, type Running } from '../../../src/cli/processes.ts';

const shell = (script: string, name = script): Running =>
  launch({
    name,
    command: ['/bin/sh', '-c', script],
    forked: false,
    env: { PATH: process.env.PATH ?? '' },
    stdio: 'ignore',
    stopSignal: 'SIGTERM',
    graceMs: 300,
  });

test('a process that listens is stopped by its signal, one that does not is killed in time', async () => {
  const [polite, deaf] = [shell('exec sleep 60'), shell('trap "" TERM; while :; do sleep 0.05; done')];
  await new Promise((resolve) => setTimeout(resolve, 100));
  await Promise.all([polite.stop(false), deaf.stop(false)]);
  expect(await polite.ended).toBe('SIGTERM');
  expect(await deaf.ended).toBe('SIGKILL');
});

test('a program that does not exist ends with the reason', async () => {
  const running = launch({ ...shellLaunch, command: ['/nothing/here'] });
  expect(await running.ended).toContain('ENOENT');
  await running.stop(false);
});

const shellLaunch = {
  name: 'x',
  forked: false,
  env: {},
  stdio: 'ignore',
  stopSignal: 'SIGTERM',
  graceMs: 100,
} as const;

test('when one ends, the other is killed and both are started again; a stop goes from last to first', async () => {
  const started: Running[][] = [];
  const start = () => {
    const pair = [shell('exec sleep 60', 'enclave'), shell('exec sleep 60', 'api')];
    started.push(pair);
    return pair;
  };
  const said: string[] = [];
  const group = keepRunning(start(), start, (line) => said.push(line), expect.unreachable);
  started[0]?.[1]?.child.kill('SIGKILL');
  await expect.poll(() => started.length).toBe(2);
  expect(await started[0]?.[0]?.ended).toBe('SIGKILL');
  expect(said[0]).toMatch(/^api ended \(SIGKILL\)/);

  const order: string[] = [];
  for (const { name, ended } of started[1] ?? []) void ended.then(() => order.push(name));
  await group.stop(false);
  expect(order).toEqual(['api', 'enclave']);
  expect(started).toHaveLength(2);
});

describe('quick failures', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  /** Lets `first` run for `ms`, then has whatever follows fail at once, nine times at most; gives the reason for giving up. */
  async function failAfter(first: Running, ms: number): Promise<string | undefined> {
    vi.useFakeTimers({ toFake: ['setTimeout', 'Date'] });
    const said: string[] = [];
    let gaveUp: string | undefined;
    const group = keepRunning(
      [first],
      () => [shell('exit 1', 'next')],
      (line) => said.push(line),
      (reason) => {
        gaveUp = reason;
      },
    );
    vi.advanceTimersByTime(ms);
    first.kill();
    for (let round = 1; round < 10 && !gaveUp; round++) {
      while (said.length < round && !gaveUp) await new Promise((resolve) => setImmediate(resolve));
      vi.advanceTimersByTime(8000);
    }
    await group.stop(true);
    return gaveUp;
  }

  test('of what never ran end the service', async () => {
    expect(await failAfter(shell('exec sleep 60'), 0)).toMatch(/given up after 5 quick failures/);
  });

  test('of what ran before do not, for what ails it may pass', async () => {
    expect(await failAfter(shell('exec sleep 60'), 11_000)).toBeUndefined();
  });
});
