import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { addProcessMetrics } from './process-metrics.ts';

export type Metrics = {
  /** `name` must come from a bounded set: it becomes a label. */
  observeRequest(name: string, status: number, seconds: number): void;
  observeBatch(entries: number, seconds: number): void;
  countWriteFailure(): void;
  /** The text format of Prometheus. */
  text(): Promise<string>;
};

/** Metrics of this process. `waiting` tells how many requests wait for the enclave's answer. */
export function createMetrics(waiting: () => number): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const { startDelaysAnew } = addProcessMetrics(registry);
  const requests = new Histogram({
    name: 'countersign_request_seconds',
    help: 'Time to answer a request, by last part of the path and HTTP status',
    labelNames: ['name', 'status'],
    buckets: [0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1, 2, 5, 10],
    registers,
  });
  const batchEntries = new Histogram({
    name: 'countersign_batch_entries',
    help: 'Log entries in a written batch',
    buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512],
    registers,
  });
  const writes = new Histogram({
    name: 'countersign_batch_write_seconds',
    help: 'Time of the database write of a batch',
    buckets: [0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.256, 1, 5],
    registers,
  });
  const failures = new Counter({
    name: 'countersign_batch_write_failures_total',
    help: 'Attempts to write a batch that the database did not take',
    registers,
  });
  new Gauge({
    name: 'countersign_waiting_requests',
    help: 'Requests that wait for the answer of the enclave',
    registers,
    collect() {
      this.set(waiting());
    },
  });
  return {
    observeRequest: (name, status, seconds) => requests.observe({ name, status }, seconds),
    observeBatch(entries, seconds) {
      batchEntries.observe(entries);
      writes.observe(seconds);
    },
    countWriteFailure: () => failures.inc(),
    async text() {
      const text = await registry.metrics();
      startDelaysAnew();
      return text;
    },
  };
}
