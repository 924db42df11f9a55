import type { BlockList } from 'node:net';
import { parseProxies } from './http/client-address.ts';
import type { RateLimitSetting } from './http/limit.ts';

export type Settings = {
  readonly port: number;
  readonly host: string;
  readonly databaseUrl: string;
  /** Where clients find the service; null: wherever they found it. */
  readonly publicUrl: string | null;
  readonly proxies: BlockList;
  readonly rateLimit: RateLimitSetting;
  readonly logLevel: string;
  /** Unix socket that the enclave listens on; null: the stream is file descriptor 3. */
  readonly enclaveSocket: string | null;
};

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

/** The settings of this process out of its environment. Throws with the name of the variable that is wrong. */
export function readSettings(env: Readonly<Record<string, string | undefined>>): Settings {
  return {
    port: read(env, 'PORT', integer(0, 65_535)) ?? 8787,
    host: read(env, 'HOST', String) ?? '127.0.0.1',
    databaseUrl: read(env, 'DATABASE_URL', databaseUrl) ?? fail('DATABASE_URL', 'expected a connection string'),
    publicUrl: read(env, 'COUNTERSIGN_PUBLIC_URL', webUrl) ?? null,
    proxies: read(env, 'COUNTERSIGN_TRUSTED_PROXIES', parseProxies) ?? parseProxies(''),
    rateLimit: read(env, 'COUNTERSIGN_RATE_LIMIT', integer(1, 1_000_000)) ?? null,
    logLevel: read(env, 'COUNTERSIGN_LOG_LEVEL', logLevel) ?? 'info',
    enclaveSocket: read(env, 'COUNTERSIGN_ENCLAVE_SOCKET', String) ?? null,
  };
}

function read<T>(
  env: Readonly<Record<string, string | undefined>>,
  name: string,
  parse: (text: string) => T,
): T | undefined {
  const text = env[name];
  if (text === undefined || text === '') return undefined;
  try {
    return parse(text);
  } catch (error) {
    return fail(name, (error as Error).message);
  }
}

function fail(name: string, problem: string): never {
  throw new TypeError(`${name}: ${problem}`);
}

const integer = (min: number, max: number) => (text: string) => {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < min || value > max)
    throw new TypeError(`expected an integer from ${min} to ${max}`);
  return value;
};

function logLevel(text: string): string {
  if (!logLevels.includes(text)) throw new TypeError(`expected one of ${logLevels.join(', ')}`);
  return text;
}

/** The value is not repeated in the error: it holds a password. */
function databaseUrl(text: string): string {
  if (!/^postgres(ql)?:\/\//.test(text)) throw new TypeError('expected a URL that starts with postgres://');
  return text;
}

function webUrl(text: string): string {
  const url = URL.parse(text);
  if (!url || !/^https?:$/.test(url.protocol)) throw new TypeError('expected an http or https URL');
  return text.replace(/\/+$/, '');
}
