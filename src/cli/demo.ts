/** `countersign demo`: the main job in the terminal, with a passkey in software. */
import { hashMessage, recoverMessageAddress } from 'viem';
import { createSoftwareAuthenticator } from '../stamping/software-authenticator.ts';
import { type Caller, callerOf, submit } from './client.ts';
import { openDataDirectory } from './files.ts';
import { OperatorError } from './operator-error.ts';
import { readRootFile } from './root-file.ts';
import type { Settings } from './settings.ts';

type Created = { subOrganizationId: string; wallet: { addresses: string[] } };
type Signature = { r: string; s: string; v: string };

const message = 'Countersign signs what its owner stamped.';

export async function demo(settings: Settings): Promise<void> {
  const root = readRootFile(openDataDirectory(settings.dataDir));
  const company = callerOf(root);

  step(1, 'The user makes a passkey.');
  const passkey = createSoftwareAuthenticator({ rpId: root.rpId, origin: root.origin });
  tell(`credential ${passkey.credentialId}`, `for ${root.rpId}; in a browser this is Touch ID or a security key`);

  step(2, "The company's backend creates the user's sub-organization.");
  const { subOrganizationId, wallet } = await submit<Created>(
    company,
    'create_sub_organization',
    'ACTIVITY_TYPE_CREATE_SUB_ORGANIZATION_V7',
    subOrganization(passkey.register()),
  );
  const address = wallet.addresses[0] as `0x${string}`;
  tell(`stamped by the API key ${root.apiPublicKey.slice(0, 16)}…`);
  tell(
    "the enclave checked that stamp over the exact body, and the passkey's registration",
    `made a wallet: ${address}`,
  );

  step(3, 'The user signs a message.');
  const user: Caller = { ...company, organizationId: subOrganizationId, stamp: (body) => passkey.stamp(body) };
  const { r, s, v } = await sign(user, address);
  const signature = `0x${r}${s}${(27 + Number.parseInt(v, 16)).toString(16)}` as const;
  tell(
    'stamped by the passkey; the enclave checked challenge, origin, RP id, flags and signature, and unsealed the key',
  );
  tell(`signature ${signature}`);

  step(4, 'Anybody verifies the signature.');
  const signer = await recoverMessageAddress({ message, signature });
  if (signer.toLowerCase() !== address.toLowerCase()) {
    throw new OperatorError(`the signature is by ${signer}, not by ${address}`);
  }
  tell(`"${message}" was signed by ${signer}`);

  step(5, 'The company tries to sign in its place.');
  const refusal = await sign({ ...company, organizationId: subOrganizationId }, address).then(
    () => undefined,
    (error: Error) => error.message,
  );
  if (refusal === undefined) throw new OperatorError('the company could sign: this must never happen');
  if (!refusal.includes('refused (4')) throw new OperatorError(refusal);
  tell(refusal);
}

const subOrganization = (registration: object) => ({
  subOrganizationName: 'Demo user',
  rootQuorumThreshold: 1,
  rootUsers: [
    {
      userName: 'Demo user',
      apiKeys: [],
      oauthProviders: [],
      authenticators: [{ authenticatorName: 'Passkey', ...registration }],
    },
  ],
  wallet: {
    walletName: 'Wallet',
    accounts: [
      {
        curve: 'CURVE_SECP256K1',
        pathFormat: 'PATH_FORMAT_BIP32',
        path: "m/44'/60'/0'/0/0",
        addressFormat: 'ADDRESS_FORMAT_ETHEREUM',
      },
    ],
  },
});

const sign = (caller: Caller, signWith: string): Promise<Signature> =>
  submit<Signature>(caller, 'sign_raw_payload', 'ACTIVITY_TYPE_SIGN_RAW_PAYLOAD_V2', {
    signWith,
    payload: hashMessage(message),
    encoding: 'PAYLOAD_ENCODING_HEXADECIMAL',
    hashFunction: 'HASH_FUNCTION_NO_OP',
  });

function step(number: number, title: string): void {
  process.stdout.write(`\n${number}. ${title}\n`);
}

function tell(...lines: string[]): void {
  for (const line of lines) process.stdout.write(`   ${line}\n`);
}
