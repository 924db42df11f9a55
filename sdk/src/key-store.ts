/** Named values that outlive the page. */
export type KeyStore<T> = {
  get(name: string): Promise<T | undefined>;
  put(name: string, value: T): Promise<void>;
  delete(name: string): Promise<void>;
};

/** As much of IndexedDB as is used here; it has global names in browsers' types alone. */
type Request<T> = { result: T; error: unknown; onsuccess: unknown; onerror: unknown };
type ObjectStore = {
  get(name: string): Request<unknown>;
  put(value: unknown, name: string): Request<unknown>;
  delete(name: string): Request<unknown>;
};
type Database = {
  createObjectStore(name: string): unknown;
  transaction(store: string, mode: string): { objectStore(name: string): ObjectStore };
  close(): void;
};
type Factory = { open(name: string, version: number): Request<Database> & { onupgradeneeded: unknown } };

const databaseName = 'countersign';
const storeName = 'keys';

/** The one of this origin, in IndexedDB: it keeps keys that cannot be written down, and what else is to outlive the page. */
export const openKeyStore = <T>(): KeyStore<T> => ({
  get: (name) => run('readonly', (store) => store.get(name)) as Promise<T | undefined>,
  put: async (name, value) => void (await run('readwrite', (store) => store.put(value, name))),
  delete: async (name) => void (await run('readwrite', (store) => store.delete(name))),
});

async function run(mode: string, operate: (store: ObjectStore) => Request<unknown>): Promise<unknown> {
  const database = await openDatabase();
  try {
    return await settled(operate(database.transaction(storeName, mode).objectStore(storeName)));
  } finally {
    database.close();
  }
}

function openDatabase(): Promise<Database> {
  const { indexedDB } = globalThis as { indexedDB?: Factory };
  if (!indexedDB) throw new Error('session keys need a browser (IndexedDB)');
  const request = indexedDB.open(databaseName, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(storeName);
  return settled(request);
}

const settled = <T>(request: Request<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
