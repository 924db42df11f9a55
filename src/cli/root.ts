/** `countersign root …`: further parent organizations, a new key for the root user, further admins. */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { ask, callerOf, submit } from './client.ts';
import { openDataDirectory } from './files.ts';
import { codeOf, OperatorError } from './operator-error.ts';
import { orderDone, placeOrder } from './orders.ts';
import { newCredentials, readRootFile } from './root-file.ts';
import { rotateRootKey } from './rotate-root-key.ts';
import type { Settings } from './settings.ts';

export const rootHelp = `usage: countersign root create --name <organization> [--user <name>] [--out <file>]
       countersign root rotate
       countersign root add-admin --public-key <hex> [--name <user>]

create     makes a further parent organization with one root user and a new API key, and prints them once (JSON), or
           writes them to a new file of mode 0600
rotate     gives the root user of root.json a new API key, writes it to root.json, and deletes the old one
add-admin  adds a user with that P-256 API key (compressed, 66 hex digits) to the organization of root.json; the root
           quorum stays as it is`;

export async function root(settings: Settings, [command, ...args]: readonly string[]): Promise<void> {
  const dataDir = openDataDirectory(settings.dataDir);
  if (command === 'create') return create(dataDir, args);
  if (command === 'rotate') return rotate(dataDir, args);
  if (command === 'add-admin') return addAdmin(dataDir, args);
  throw new OperatorError(`root: expected create, rotate or add-admin, got ${command ?? 'nothing'}\n\n${rootHelp}`);
}

const patienceMs = 30_000;

async function create(dataDir: string, args: readonly string[]): Promise<void> {
  const options = { name: { type: 'string' }, user: { type: 'string' }, out: { type: 'string' } } as const;
  const { values } = parseArgs({ args: [...args], options });
  if (!values.name) throw new OperatorError(`--name: expected a name for the organization, got nothing\n\n${rootHelp}`);
  const { apiBaseUrl } = readRootFile(dataDir);
  const credentials = newCredentials(apiBaseUrl);
  const shown = `${JSON.stringify(credentials, null, 2)}\n`;
  // The key is safe before anything depends on it.
  if (values.out) writeNew(values.out, shown);
  const names = { organizationName: values.name, userName: values.user ?? 'Root user', apiKeyName: 'Root API key' };
  placeOrder(dataDir, credentials, names);
  const done = await orderDone(dataDir, credentials.organizationId, AbortSignal.timeout(patienceMs));
  process.stdout.write(values.out ? `credentials of ${credentials.organizationId} are in ${values.out}\n` : shown);
  if (!done) process.stderr.write('ordered; the organization comes into being when the service runs\n');
}

function writeNew(path: string, content: string): void {
  try {
    writeFileSync(path, content, { mode: 0o600, flag: 'wx', flush: true });
  } catch (error) {
    throw new OperatorError(
      `--out: expected a file that can be made and is not there yet, got ${path} (${codeOf(error)})`,
    );
  }
}

async function rotate(dataDir: string, args: readonly string[]): Promise<void> {
  parseArgs({ args: [...args], options: {} });
  const publicKey = await rotateRootKey(dataDir, ask, submit);
  process.stdout.write(`the root user has the API key ${publicKey}; root.json holds it\n`);
}

async function addAdmin(dataDir: string, args: readonly string[]): Promise<void> {
  const options = { 'public-key': { type: 'string' }, name: { type: 'string' } } as const;
  const { values } = parseArgs({ args: [...args], options });
  const publicKey = values['public-key']?.toLowerCase();
  if (!publicKey || !/^0[23][0-9a-f]{64}$/.test(publicKey)) {
    throw new OperatorError(`--public-key: expected a compressed P-256 point in 66 hex digits\n\n${rootHelp}`);
  }
  const apiKeys = [{ apiKeyName: 'API key', publicKey, curveType: 'API_KEY_CURVE_P256' }];
  const user = { userName: values.name ?? 'Admin', apiKeys, authenticators: [], oauthProviders: [], userTags: [] };
  const { userIds } = await submit<{ userIds: string[] }>(
    callerOf(readRootFile(dataDir)),
    'create_users',
    'ACTIVITY_TYPE_CREATE_USERS_V3',
    { users: [user] },
  );
  process.stdout.write(`added user ${userIds[0]}; policies or the root quorum give it rights\n`);
}
