/** `countersign demo`: the main job in the terminal, with a passkey in software. */
import { hash } from 'node:crypto';
import { hashMessage, recoverMessageAddress } from 'viem';
import { createSoftwareAuthenticator } from '../stamping/software-authenticator.ts';
import { type Caller, callerOf } from './client.ts';
import { useService } from './demo-service.ts';
import { OperatorError } from './operator-error.ts';
import type { RootFile } from './root-file.ts';
import type { Settings } from './settings.ts';

/** Tells what happens as it happens; throws `OperatorError` when anything is not as it must be. */
export const demo = (settings: Settings): Promise<void> => useService(settings, tellTheStory);

const message = 'I countersigned this.';

async function tellTheStory(root: RootFile): Promise<void> {
  print('✓ marks what the enclave checked before it did what was asked.');
  const company = callerOf(root);

  title('The user makes a passkey');
  const passkey = createSoftwareAuthenticator({ rpId: root.rpId, origin: root.origin });
  tell('passkey', passkey.credentialId);
  tell('for', `RP ID ${root.rpId}, on pages of ${root.origin}`);
  tell('note', 'a browser asks for a finger, a face or a PIN here; this one is software, for the demo alone');

  title('The company creates a sub-organization for it');
  const creation = stampedActivity(company, 'ACTIVITY_TYPE_CREATE_SUB_ORGANIZATION_V8', {
    subOrganizationName: 'Demo user',
    rootQuorumThreshold: 1,
    rootUsers: [
      {
        userName: 'Demo user',
        apiKeys: [],
        oauthProviders: [],
        authenticators: [{ authenticatorName: 'Passkey', ...passkey.register() }],
      },
    ],
    wallet: { walletName: 'Wallet', accounts: [ethereumAccount] },
  });
  tell('stamped by', `the company's API key ${root.apiPublicKey}`);
  const created = await accepted(company, 'create_sub_organization', creation);
  const { subOrganizationId, wallet } = created.result as {
    subOrganizationId: string;
    wallet: { addresses: string[] };
  };
  const address = wallet.addresses[0] as string;
  checked(
    'the stamp is over exactly these bytes, by a key of the company',
    'the request is fresh, and was not carried out before',
    `the passkey was registered for ${root.rpId}, on an allowed page, with the user present`,
  );
  tell('made', `sub-organization ${subOrganizationId}`, `wallet with the Ethereum address ${address}`);
  receipt(created, creation);

  title('The user signs a message');
  const user: Caller = { ...company, organizationId: subOrganizationId, stamp: (body) => passkey.stamp(body) };
  tell('message', message);
  const signing = stampedActivity(user, signType, signParameters(address));
  tell('stamped by', `the passkey, whose challenge is the request's SHA-256: ${digestOf(signing.body)}`);
  const signed = await accepted(user, 'sign_raw_payload', signing);
  checked(
    'the challenge is that of exactly these bytes, and the stamp verifies with the passkey of this sub-organization',
    `it was made on ${root.origin}, for ${root.rpId}, with the user present and verified`,
    'the request is fresh, and was not carried out before',
  );
  const { r, s, v } = signed.result as { r: string; s: string; v: string };
  const signature = `0x${r}${s}${(27 + Number.parseInt(v, 16)).toString(16)}` as const;
  tell('signature', signature);
  receipt(signed, signing);

  title('Anybody verifies the signature');
  const signer = await recoverMessageAddress({ message, signature });
  if (signer.toLowerCase() !== address.toLowerCase())
    throw new OperatorError(`the signature is by ${signer}, not ${address}`);
  tell('recovered', `${signer}, which is the wallet's address`);

  title("The company tries to sign in the user's place");
  const foreign = stampedActivity({ ...company, organizationId: subOrganizationId }, signType, signParameters(address));
  tell('stamped by', `the company's API key, for the sub-organization it made`);
  await refused(company, 'sign_raw_payload', foreign);

  title('Somebody on the way alters the request');
  const honest = stampedActivity(user, signType, signParameters(address));
  const altered = honest.body.replace(hashMessage(message), hashMessage('I owe you everything.'));
  if (altered === honest.body) throw new OperatorError('the request could not be altered');
  tell('stamped by', 'the passkey; then the message in it is replaced by another one');
  await refused(user, 'sign_raw_payload', { ...honest, body: altered });
}

const signType = 'ACTIVITY_TYPE_SIGN_RAW_PAYLOAD_V2';

const signParameters = (signWith: string) => ({
  signWith,
  payload: hashMessage(message),
  encoding: 'PAYLOAD_ENCODING_HEXADECIMAL',
  hashFunction: 'HASH_FUNCTION_NO_OP',
});

const ethereumAccount = {
  curve: 'CURVE_SECP256K1',
  pathFormat: 'PATH_FORMAT_BIP32',
  path: "m/44'/60'/0'/0/0",
  addressFormat: 'ADDRESS_FORMAT_ETHEREUM',
};

type Stamped = { readonly body: string; readonly headers: Readonly<Record<string, string>> };
type Activity = {
  readonly status: string;
  readonly fingerprint: string;
  readonly result: Readonly<Record<string, unknown>>;
  readonly votes: readonly { readonly message: string; readonly user: { readonly userName: string } }[];
};
type Accepted = { readonly activity: Activity; readonly result: unknown };

function stampedActivity({ organizationId, stamp }: Caller, type: string, parameters: object): Stamped {
  const body = JSON.stringify({ type, timestampMs: String(Date.now()), organizationId, parameters });
  const { header, value } = stamp(body);
  return { body, headers: { 'content-type': 'application/json', [header]: value } };
}

async function post({ apiBaseUrl }: Caller, name: string, { body, headers }: Stamped) {
  const response = await fetch(`${apiBaseUrl}/public/v1/submit/${name}`, { method: 'POST', headers, body });
  return { status: response.status, answer: (await response.json()) as { activity?: Activity; message?: string } };
}

async function accepted(caller: Caller, name: string, request: Stamped): Promise<Accepted> {
  const { status, answer } = await post(caller, name, request);
  const { activity } = answer;
  const [result] = Object.values(activity?.result ?? {});
  if (activity?.status === 'ACTIVITY_STATUS_COMPLETED' && result) return { activity, result };
  throw new OperatorError(`${name}: not completed (${status}): ${answer.message ?? activity?.status}`);
}

async function refused(caller: Caller, name: string, request: Stamped): Promise<void> {
  const { status, answer } = await post(caller, name, request);
  if (status < 400 || status >= 500) throw new OperatorError(`${name}: expected a refusal, got status ${status}`);
  tell('refused', `${status}: ${answer.message}`);
}

/** What the activity keeps of the request, compared with what was sent. */
function receipt({ activity }: Accepted, { body }: Stamped): void {
  const [vote] = activity.votes;
  if (activity.fingerprint !== `sha256:${digestOf(body)}` || vote?.message !== body) {
    throw new OperatorError('the activity is about another request than the one that was sent');
  }
  tell('fingerprint', `${activity.fingerprint}, as computed here`);
  tell('vote', `${vote.user.userName}, over the request as it was sent (${Buffer.byteLength(body)} bytes)`);
}

const digestOf = (body: string): string => hash('sha256', body);

let step = 0;
const title = (text: string): void => print(`\n${++step}. ${text}`);

function tell(label: string, first: string, ...more: string[]): void {
  print(`   ${label.padEnd(12)}${first}`);
  for (const line of more) print(`   ${''.padEnd(12)}${line}`);
}

/** What the enclave checked: it answered, so each of these held. */
function checked(first: string, ...more: string[]): void {
  tell('enclave', `✓ ${first}`, ...more.map((line) => `✓ ${line}`));
}

const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
