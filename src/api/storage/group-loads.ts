type Waiting<Key, Value> = { key: Key; resolve: (value: Value) => void; reject: (error: unknown) => void };

/** Most keys of one load. */
const largestGroup = 256;

/**
 * A function that loads one key by a function that loads many: keys that are asked for in one turn of the event loop,
 * or while the load before them runs, are loaded together. So the number of queries does not grow with the load.
 * `load` gives back one value for each key, in order.
 */
export function groupLoads<Key, Value>(load: (keys: readonly Key[]) => Promise<Value[]>): (key: Key) => Promise<Value> {
  const waiting: Waiting<Key, Value>[] = [];
  let running = false;

  const run = async () => {
    while (waiting.length > 0) {
      const group = waiting.splice(0, largestGroup);
      try {
        const values = await load(group.map(({ key }) => key));
        for (const [at, { resolve }] of group.entries()) resolve(values[at] as Value);
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    running = false;
  };

  return (key) =>
    new Promise((resolve, reject) => {
      waiting.push({ key, resolve, reject });
      if (running) return;
      running = true;
      queueMicrotask(run);
    });
}
