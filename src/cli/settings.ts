/** Every setting of the service: one table, from which come the values, the errors, `--help` and the README's list. */
import { isIP } from 'node:net';
import { isAbsolute, resolve } from 'node:path';
import { sealingNames } from '../protocol/sealing-names.ts';
import { anchorNames } from '../protocol/witness-policy.ts';
import { parseOrigins, parseRpIds } from '../stamping/origin.ts';
import { OperatorError } from './operator-error.ts';

type Setting<T> = {
  readonly name: string;
  readonly summary: string;
  /** What a value must be, for errors: `PORT: expected <this>, got …`. */
  readonly expected: string;
  /** As it would stand in the environment; null where the setting is unset by default. */
  readonly fallback: string | null;
  /** undefined for a value that is not as expected. */
  readonly parse: (text: string) => T | undefined;
};

const setting = <T, F extends string | null>(
  name: string,
  fallback: F,
  expected: string,
  summary: string,
  parse: (text: string) => T | undefined,
): Setting<T> & { readonly fallback: F } => ({ name, fallback, expected, summary, parse });

const oneOf =
  <const T extends string>(...values: T[]) =>
  (text: string): T | undefined =>
    values.find((value) => value === text);

const integer = (least: number, most: number) => (text: string) => {
  const value = Number(text);
  return /^\d{1,9}$/.test(text) && value >= least && value <= most ? value : undefined;
};

const list =
  <T>(parse: (text: string) => T | undefined) =>
  (text: string): T[] | undefined => {
    const values = text.split(',').map((part) => parse(part.trim()));
    return values.every((value) => value !== undefined) ? (values as T[]) : undefined;
  };

const hostName = /^(?=.{1,253}$)(?!-)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*$/;

/** A parser that throws, as one that answers undefined. */
const orUndefined =
  <T>(parse: (text: string) => T) =>
  (text: string): T | undefined => {
    try {
      return parse(text);
    } catch {
      return undefined;
    }
  };

function publicUrl(text: string): string | undefined {
  const url = URL.parse(text);
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.search || url.hash) return undefined;
  return url.pathname === '/' ? url.origin : undefined;
}

function databaseUrl(text: string): string | undefined {
  const url = URL.parse(text);
  return url && /^postgres(ql)?:$/.test(url.protocol) && url.pathname.length > 1 ? text : undefined;
}

function network(text: string): string | undefined {
  const [address = '', bits, ...rest] = text.split('/');
  const family = isIP(address);
  if (!family || rest.length) return undefined;
  return bits === undefined || integer(0, family === 4 ? 32 : 128)(bits) !== undefined ? text : undefined;
}

const place = 'the absolute path of a socket or a device';
const absolutePath = (text: string) => (isAbsolute(text) && !text.includes('\0') ? resolve(text) : undefined);

function registers(text: string): number[] | undefined {
  const numbers = list(integer(0, 23))(text);
  const isAscending = numbers?.every((number, at) => at === 0 || number > (numbers[at - 1] as number));
  return isAscending && numbers?.includes(11) && numbers.length <= 8 ? numbers : undefined;
}

const table = {
  port: setting('PORT', '8787', 'a TCP port from 1 to 65535', 'TCP port of the HTTP server', integer(1, 65_535)),
  host: setting(
    'HOST',
    '127.0.0.1',
    'an IP address or a host name',
    'address that the HTTP server listens on',
    (text) => (isIP(text) || hostName.test(text) ? text : undefined),
  ),
  dataDir: setting(
    'COUNTERSIGN_DATA_DIR',
    './data',
    'the path of a directory',
    'directory of everything that must be kept',
    (text) => (text.includes('\0') ? undefined : resolve(text)),
  ),
  databaseUrl: setting(
    'DATABASE_URL',
    null,
    'a URL like postgres://role:password@host:5432/database',
    'PostgreSQL to use in place of the embedded one; its role must not be a superuser',
    databaseUrl,
  ),
  sealing: setting(
    'COUNTERSIGN_SEALING',
    'local-file',
    sealingNames.join(', '),
    "what protects the enclave's root key (docs/sealing.md)",
    oneOf(...sealingNames),
  ),
  anchor: setting(
    'COUNTERSIGN_ANCHOR',
    'file',
    anchorNames.join(', '),
    'what remembers the newest state beside the database, so that no earlier one is served (docs/anchors.md)',
    oneOf(...anchorNames),
  ),
  witnessPolicy: setting(
    'COUNTERSIGN_WITNESS_POLICY',
    null,
    'the path of a file',
    'the witnesses of the `witness` anchor, and how many are enough: a C2SP tlog-policy (docs/anchors.md)',
    (text) => (text.includes('\0') ? undefined : resolve(text)),
  ),
  tpm: setting('COUNTERSIGN_TPM', '/dev/tpmrm0', place, 'the TPM 2.0 of the `tpm2` sealing and anchor', absolutePath),
  tpmPcrs: setting(
    'COUNTERSIGN_TPM_PCRS',
    '11',
    'numbers of registers from 0 to 23, ascending, separated by commas, 11 among them',
    'registers whose values the `tpm2` sealing is bound to; 11 is the code of the enclave',
    registers,
  ),
  dstackSocket: setting(
    'COUNTERSIGN_DSTACK_SOCKET',
    '/var/run/dstack.sock',
    place,
    'the guest agent of the `dstack` sealing',
    absolutePath,
  ),
  nsmSocket: setting(
    'COUNTERSIGN_NSM_SOCKET',
    null,
    place,
    'the bridge to /dev/nsm of the `nitro-kms` sealing',
    absolutePath,
  ),
  kmsSocket: setting(
    'COUNTERSIGN_KMS_SOCKET',
    null,
    place,
    'the proxy to the endpoint of AWS KMS of the `nitro-kms` sealing',
    absolutePath,
  ),
  kmsKey: setting(
    'COUNTERSIGN_KMS_KEY',
    null,
    'the ARN of a KMS key, like arn:aws:kms:eu-central-1:111122223333:key/…',
    'the KMS key of the `nitro-kms` sealing',
    (text) => (/^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:(key|alias)\/[\w/-]+$/.test(text) ? text : undefined),
  ),
  enclave: setting(
    'COUNTERSIGN_ENCLAVE',
    'process',
    'process or microvm',
    'what the enclave runs as; a microVM needs QEMU and a kernel (docs/microvm.md)',
    oneOf('process', 'microvm'),
  ),
  mode: setting(
    'COUNTERSIGN_MODE',
    'all',
    'all, api or enclave',
    'what `countersign start` runs',
    oneOf('all', 'api', 'enclave'),
  ),
  origins: setting(
    'COUNTERSIGN_ORIGINS',
    'http://localhost:*',
    'https origins like https://app.example.com, or http://localhost:* for any port, separated by commas',
    'origins whose passkey stamps are accepted',
    orUndefined(parseOrigins),
  ),
  rpIds: setting(
    'COUNTERSIGN_RP_IDS',
    'localhost',
    'domain names like example.com, separated by commas',
    'relying party ids of passkeys',
    orUndefined(parseRpIds),
  ),
  requireUserVerification: setting(
    'COUNTERSIGN_REQUIRE_USER_VERIFICATION',
    'false',
    'true or false',
    'whether a passkey must verify its user (PIN, biometrics) for each stamp',
    (text) => (text === 'true' || text === 'false' ? text === 'true' : undefined),
  ),
  publicUrl: setting(
    'COUNTERSIGN_PUBLIC_URL',
    null,
    'a URL like https://sign.example.com, without a path',
    'where clients reach the service; default http://localhost:PORT',
    publicUrl,
  ),
  trustedProxies: setting(
    'COUNTERSIGN_TRUSTED_PROXIES',
    null,
    'IP addresses or networks like 10.0.0.0/8, separated by commas',
    'proxies whose X-Forwarded-For is believed',
    list(network),
  ),
  rateLimit: setting(
    'COUNTERSIGN_RATE_LIMIT',
    null,
    'a number of requests from 1 to 1000000',
    'requests per second and client address; default 300, and none for this machine itself unless set',
    integer(1, 1_000_000),
  ),
  enclaveSocket: setting(
    'COUNTERSIGN_ENCLAVE_SOCKET',
    null,
    'the absolute path of a Unix socket, at most 100 characters',
    'where `api` and `enclave` meet when they are run apart',
    (text) => (isAbsolute(text) && text.length <= 100 ? resolve(text) : undefined),
  ),
  logLevel: setting(
    'COUNTERSIGN_LOG_LEVEL',
    'info',
    'debug, info, warn, error or silent',
    'least level of what is logged',
    oneOf('debug', 'info', 'warn', 'error', 'silent'),
  ),
};

type Table = typeof table;
type Value<S> = S extends { parse: (text: string) => infer T | undefined; fallback: infer F }
  ? Exclude<T, undefined> | (F extends null ? null : never)
  : never;

export type Settings = { readonly [K in keyof Table]: Value<Table[K]> };

export type Environment = Readonly<Record<string, string | undefined>>;

/** The settings in `environment`, defaults filled in; an empty variable is an unset one. Throws `OperatorError` naming every bad one. */
export function readSettings(environment: Environment): Settings {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [key, { name, fallback, expected, parse }] of Object.entries<Setting<unknown>>(table)) {
    const text = environment[name]?.trim() || fallback;
    values[key] = text === null ? null : parse(text);
    if (values[key] === undefined) problems.push(`${name}: expected ${expected}, got ${shown(name, text as string)}`);
  }
  const settings = values as Settings;
  if (!problems.length) problems.push(...contradictions(settings));
  if (problems.length) throw new OperatorError(problems.join('\n'));
  return settings;
}

/** A database URL may hold a password, which must not get into logs. */
const shown = (name: string, text: string) =>
  name === 'DATABASE_URL' ? 'something else' : JSON.stringify(text.slice(0, 200));

function contradictions({
  mode,
  enclave,
  databaseUrl,
  enclaveSocket,
  sealing,
  anchor,
  witnessPolicy,
  ...places
}: Settings): string[] {
  const found: string[] = [];
  if (mode !== 'api' && anchor.includes('witness') && !witnessPolicy) {
    found.push(
      `COUNTERSIGN_WITNESS_POLICY: expected ${table.witnessPolicy.expected} with COUNTERSIGN_ANCHOR=${anchor}, got nothing`,
    );
  }
  if (mode === 'all' && enclaveSocket) {
    found.push('COUNTERSIGN_ENCLAVE_SOCKET: expected to be unset when one `start` runs both; set COUNTERSIGN_MODE');
  }
  if (mode !== 'all' && !enclaveSocket) {
    found.push(`COUNTERSIGN_ENCLAVE_SOCKET: expected ${table.enclaveSocket.expected} in mode ${mode}, got nothing`);
  }
  if (sealing === 'nitro-kms') {
    for (const key of ['nsmSocket', 'kmsSocket', 'kmsKey'] as const) {
      if (places[key]) continue;
      const { name, expected } = table[key];
      found.push(`${name}: expected ${expected} with COUNTERSIGN_SEALING=nitro-kms, got nothing`);
    }
  }
  const used = [sealing, ...anchor.split('+')].find((name) => /^(?:tpm2|dstack|nitro-kms)$/.test(name));
  if (enclave === 'microvm' && used) {
    found.push(`COUNTERSIGN_ENCLAVE: expected process with ${used}, which a microVM does not reach, got "microvm"`);
  }
  if (mode === 'api' && !databaseUrl) {
    found.push(`DATABASE_URL: expected ${table.databaseUrl.expected} in mode api, got nothing`);
  }
  return found;
}

/** Name, default and meaning of each setting, for `--help` and the README. */
export const settingRows: readonly { name: string; fallback: string; summary: string }[] = Object.values(table).map(
  ({ name, fallback, summary }) => ({ name, fallback: fallback ?? '', summary }),
);

/** The table as `--help` shows it. */
export function settingsHelp(): string {
  const width = Math.max(...settingRows.map(({ name }) => name.length)) + 2;
  return settingRows
    .map(({ name, fallback, summary }) => `  ${name.padEnd(width)}${summary}${fallback && ` (${fallback})`}`)
    .join('\n');
}

/** Where clients reach the service. */
export const apiBaseUrlOf = ({ publicUrl, port }: Settings): string => publicUrl ?? `http://localhost:${port}`;
