/** prom-client's default metrics of this process, apart from the event loop's delay, which is measured here. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { collectDefaultMetrics, Gauge, type Registry } from 'prom-client';

/** How often the event loop's delay is sampled, in ms: more often would keep waking an idle process. */
const resolution = 100;
const never = 2 ** 31 - 1;

type Samples = ReturnType<typeof monitorEventLoopDelay>;

/** Seconds. A sample is the time from one look at the loop to the next, in ns: what exceeds the resolution is delay. */
const delayOf: Readonly<Record<string, (samples: Samples) => number>> = {
  min: ({ min }) => excess(min),
  max: ({ max }) => excess(max),
  mean: ({ mean }) => excess(mean),
  stddev: ({ stddev }) => stddev / 1e9,
  p50: (samples) => excess(samples.percentile(50)),
  p90: (samples) => excess(samples.percentile(90)),
  p99: (samples) => excess(samples.percentile(99)),
};
const excess = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e9 - resolution / 1e3);

/**
 * Adds them to `registry`. Without a sample since the last scrape prom-client would show a mean delay of `Nan`, which the
 * format does not have, and a least delay of 292 years; so gauges of our own take its gauges' names, and then show nothing.
 */
export function addProcessMetrics(registry: Registry): { startDelaysAnew(): void } {
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: never });
  registry.removeSingleMetric('nodejs_eventloop_lag_seconds');
  const samples = monitorEventLoopDelay({ resolution });
  samples.enable();
  for (const [figure, read] of Object.entries(delayOf)) {
    const name = `nodejs_eventloop_lag_${figure}_seconds`;
    registry.removeSingleMetric(name);
    new Gauge({
      name,
      help: `Delay of the event loop since the last scrape, ${figure}`,
      registers: [registry],
      collect() {
        if (samples.count === 0) this.remove();
        else this.set(read(samples));
      },
    });
  }
  return { startDelaysAnew: () => samples.reset() };
}
