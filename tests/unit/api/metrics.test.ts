import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createMetrics } from '../../../src/api/metrics.ts';

const delays = async (metrics: ReturnType<typeof createMetrics>) => {
  const samples = (await metrics.text()).matchAll(/^nodejs_eventloop_lag_(\w+)_seconds (.*)$/gm);
  return Object.fromEntries([...samples].map(([, figure, value]) => [figure, Number(value)]));
};

test('the event loop’s delay is shown once there is a sample, and starts anew with each scrape', async () => {
  const metrics = createMetrics(() => 0);
  expect(await delays(metrics)).toEqual({});
  await sleep(250);
  const blockedUntil = performance.now() + 400;
  while (performance.now() < blockedUntil);
  await sleep(250);
  const { min, max, mean, p50, p99, ...others } = await delays(metrics);
  expect(Object.keys(others).sort()).toEqual(['p90', 'stddev']);
  expect(max).toBeGreaterThan(0.25);
  expect(p99).toBeGreaterThan(0.25);
  expect(mean).toBeLessThan(max as number);
  expect(min).toBeLessThan(0.1);
  expect(p50).toBeLessThan(0.1);
  expect(await delays(metrics)).toEqual({});
});

test('every value is a number of the format, from the first scrape on', async () => {
  const metrics = createMetrics(() => 3);
  metrics.observeRequest('whoami', 200, 0.01);
  metrics.observeBatch(2, 0.001);
  metrics.countWriteFailure();
  const text = await metrics.text();
  const samples = text.split('\n').filter((line) => line && !line.startsWith('#'));
  for (const line of samples) expect(line).toMatch(/ (NaN|[+-]Inf|-?[0-9.]+(e[+-]?[0-9]+)?)$/);
  expect(samples).toContain('countersign_waiting_requests 3');
  expect(samples).toContain('countersign_batch_write_failures_total 1');
  expect(samples).toContain('countersign_request_seconds_count{name="whoami",status="200"} 1');
});
