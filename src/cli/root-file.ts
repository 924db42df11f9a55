/** `<data>/root.json`, mode 0600: the credentials of the root organization, for the company's backend. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { generateApiKey } from '../stamping/make-api-key-stamp.ts';
import { readJsonIfThere, replaceFile } from './files.ts';
import { OperatorError } from './operator-error.ts';
import { apiBaseUrlOf, type Settings } from './settings.ts';

/** A user of a parent organization with its API key, and where the service is. */
export type Credentials = {
  readonly apiBaseUrl: string;
  readonly organizationId: string;
  readonly userId: string;
  /** Hex, as in a stamp. */
  readonly apiPublicKey: string;
  readonly apiPrivateKey: string;
};

export type RootFile = Credentials & {
  /** Absent on the enclave's host where the service runs apart. */
  readonly databaseUrl?: string;
  readonly rpId: string;
  /** One that passkeys of the default settings are accepted from. */
  readonly origin: string;
};

export const rootFilePath = (dataDir: string): string => join(dataDir, 'root.json');

export function readRootFile(dataDir: string): RootFile {
  const file = readJsonIfThere<RootFile>(rootFilePath(dataDir));
  if (!file) throw new OperatorError(`${rootFilePath(dataDir)} is not there; run \`countersign start\` first`);
  return file;
}

export const writeRootFile = (dataDir: string, file: RootFile): void =>
  replaceFile(rootFilePath(dataDir), `${JSON.stringify(file, null, 2)}\n`);

/** The root file, made at the first start; later only the addresses in it follow the settings. */
export function openRootFile(dataDir: string, settings: Settings, databaseUrl: string | null): RootFile {
  const known = readJsonIfThere<RootFile>(rootFilePath(dataDir));
  const addresses = { apiBaseUrl: apiBaseUrlOf(settings), ...(databaseUrl && { databaseUrl }) };
  const file = known
    ? { ...known, ...addresses }
    : {
        ...addresses,
        ...newCredentials(addresses.apiBaseUrl),
        rpId: settings.rpIds[0] as string,
        origin: originOf(settings),
      };
  if (JSON.stringify(file) !== JSON.stringify(known)) writeRootFile(dataDir, file);
  return file;
}

/** A user and an organization that do not exist yet, with a new key. */
export function newCredentials(apiBaseUrl: string): Credentials {
  const { publicKey, privateKey } = generateApiKey();
  return {
    apiBaseUrl,
    organizationId: randomUUID(),
    userId: randomUUID(),
    apiPublicKey: publicKey,
    apiPrivateKey: privateKey,
  };
}

/** The service's own origin where passkeys may be used there, otherwise the first that is allowed. */
function originOf(settings: Settings): string {
  const own = new URL(apiBaseUrlOf(settings)).origin;
  const allows = (allowed: string) => (allowed.endsWith(':*') ? isAnyPortOf(own, allowed) : allowed === own);
  if (settings.origins.some(allows)) return own;
  return (settings.origins[0] as string).replace(/:\*$/, '');
}

const isAnyPortOf = (origin: string, allowed: string): boolean => origin.replace(/:\d+$/, '') === allowed.slice(0, -2);
