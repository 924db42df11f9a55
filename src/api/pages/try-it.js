/** What the page does: requests by the code of the SDK, and the verification of a signature. Knows nothing of the page. */
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { base64urlnopad } from '@scure/base';
import { send } from '../../../sdk/src/send.ts';
import { passkeyStamper } from '../../../sdk/src/stampers.ts';
import { boundQuery } from '../../protocol/bound-query.ts';
import { createPasskey } from '../../stamping/make-webauthn-stamp.ts';

export { createPasskey };

/** Whether the service knows the company's key: a query that it stamps is answered. */
export const askWhoIs = ({ organizationId, stamp }) =>
  send('', 'query/whoami', stamp, boundQuery('whoami', { organizationId }));

/** Stamped by the company. Gives the activity and what it made. */
export async function createSubOrganization(company, userName, registration) {
  const account = {
    curve: 'CURVE_SECP256K1',
    pathFormat: 'PATH_FORMAT_BIP32',
    path: "m/44'/60'/0'/0/0",
    addressFormat: 'ADDRESS_FORMAT_ETHEREUM',
  };
  const authenticators = [{ authenticatorName: 'Passkey', ...registration }];
  const { activity, result } = await submit(
    company,
    company.organizationId,
    'create_sub_organization',
    'ACTIVITY_TYPE_CREATE_SUB_ORGANIZATION_V8',
    {
      subOrganizationName: userName,
      rootQuorumThreshold: 1,
      rootUsers: [{ userName, apiKeys: [], oauthProviders: [], authenticators }],
      wallet: { walletName: 'Wallet', accounts: [account] },
    },
  );
  return { activity, subOrganizationId: result.subOrganizationId, address: result.wallet.addresses[0] };
}

/** The user who stamps with the passkey of `credentialId`. */
export const userOf = (rpId, credentialId) => ({
  stamp: passkeyStamper({ rpId, allowCredentials: [credentialId] }),
});

/** Signs an EIP-191 personal message. Gives the signature, and the request and the activity that it came by. */
export async function signMessage(caller, subOrganizationId, address, message) {
  const { result, ...rest } = await submit(
    caller,
    subOrganizationId,
    'sign_raw_payload',
    'ACTIVITY_TYPE_SIGN_RAW_PAYLOAD_V2',
    {
      signWith: address,
      payload: bytesToHex(messageBytes(message)),
      encoding: 'PAYLOAD_ENCODING_HEXADECIMAL',
      hashFunction: 'HASH_FUNCTION_KECCAK256',
    },
  );
  return { signature: result, ...rest };
}

/** Sends an activity. Gives its result, and what was stamped and answered, for the reader to see. */
async function submit({ stamp }, organizationId, name, type, parameters) {
  let request;
  const keepingStamp = async (body) => {
    const { header, value } = await stamp(body);
    request = { body, header, value };
    return { header, value };
  };
  const timestampMs = String(Date.now());
  const content = { type, timestampMs, organizationId, parameters };
  const { activity } = await send('', `submit/${name}`, keepingStamp, content);
  const [result] = Object.values(activity.result);
  return { activity, result, request };
}

/** What a WebAuthn stamp says, and whether it and the activity are about the body that was sent. */
export function readStamp({ body, value }, activity) {
  const { authenticatorData, clientDataJson, credentialId } = JSON.parse(value);
  const client = JSON.parse(new TextDecoder().decode(base64urlnopad.decode(clientDataJson)));
  const digest = bytesToHex(sha256(utf8ToBytes(body)));
  const data = base64urlnopad.decode(authenticatorData);
  return {
    digest,
    challengeMatches: client.challenge === base64urlnopad.encode(utf8ToBytes(digest)),
    fingerprintMatches: activity.fingerprint === `sha256:${digest}`,
    origin: client.origin,
    rpIdHash: bytesToHex(data.subarray(0, 32)),
    userPresent: Boolean(data[32] & 0x01),
    userVerified: Boolean(data[32] & 0x04),
    credentialId,
  };
}

/** Each step from message and signature to the signer's address (EIP-191 version 0x45, SEC 1 §4.1.6). */
export function recoverSigner(message, { r, s, v }) {
  const hash = keccak_256(messageBytes(message));
  const signature = secp256k1.Signature.fromBytes(hexToBytes(r + s), 'compact').addRecoveryBit(Number.parseInt(v, 16));
  const publicKey = signature.recoverPublicKey(hash).toBytes(false);
  const address = keccak_256(publicKey.subarray(1)).subarray(12);
  return { hash: `0x${bytesToHex(hash)}`, publicKey: bytesToHex(publicKey), address: `0x${bytesToHex(address)}` };
}

/** r, s and v as Ethereum's tools take them. */
export const joinSignature = ({ r, s, v }) => `0x${r}${s}${(27 + Number.parseInt(v, 16)).toString(16)}`;

function messageBytes(message) {
  const bytes = utf8ToBytes(message);
  return concatBytes(utf8ToBytes(`\x19Ethereum Signed Message:\n${bytes.length}`), bytes);
}
