/** All that the passkey does. It stamps exact bytes here, and the backend can but pass them on. */
import { createClient, createPasskey, passkeyStamper, stampLogin } from '@countersign/sdk';
import { encodeFunctionData, parseAbi, toHex } from 'viem';
import { backend } from './backend.js';

const rp = { id: location.hostname, name: 'Passkey Mint' };

const clientOf = (organizationId, passkeys = []) => {
  const allowCredentials = passkeys.map(({ credentialId }) => credentialId);
  // The client stamps and does not send: the backend forwards.
  return createClient({
    baseUrl: location.origin,
    organizationId,
    stamp: passkeyStamper({ rpId: rp.id, allowCredentials }),
  });
};
const newPasskey = (email, passkeys = []) =>
  createPasskey({
    rp,
    user: { name: email, displayName: email },
    excludeCredentials: passkeys.map(({ credentialId }) => credentialId),
  });

export async function register(email) {
  await backend.register(email, await newPasskey(email));
}

export async function signIn() {
  const { nonce, organizationId } = await backend.challenge();
  await backend.logIn(await stampLogin(clientOf(organizationId), { nonce }));
}

const abi = parseAbi([
  'function mint(address to, uint256 amount)',
  'function execute(address target, uint256 value, bytes data)',
]);

/** One touch for call, highest cost, deadline and sponsor. Gas and the sponsor's signature come later, within these. */
export async function stampMint({ organizationId, passkeys }, { amount, destination }) {
  const terms = await backend.terms();
  const mint = encodeFunctionData({ abi, functionName: 'mint', args: [destination, BigInt(amount)] });
  const { authorizationNonce } = terms;
  return clientOf(organizationId, passkeys).stamp.signUserOperationIntent({
    signWith: terms.sender,
    chainId: String(terms.chainId),
    entryPoint: terms.entryPoint,
    delegate: terms.delegate,
    userOperation: {
      sender: terms.sender,
      nonce: toHex(BigInt(terms.nonce)),
      factory: '0x7702',
      callData: encodeFunctionData({ abi, functionName: 'execute', args: [terms.nft, 0n, mint] }),
      ...(authorizationNonce !== undefined && {
        eip7702Auth: { chainId: toHex(terms.chainId), address: terms.delegate, nonce: toHex(authorizationNonce) },
      }),
    },
    limits: { maxCost: terms.maxCost, validUntil: String(terms.validUntil), paymasters: [terms.sponsor] },
  });
}

export async function addPasskey({ organizationId, userId, email, passkeys }) {
  const registration = await newPasskey(email, passkeys);
  const authenticators = [{ authenticatorName: `Passkey ${passkeys.length + 1}`, ...registration }];
  const stamped = await clientOf(organizationId, passkeys).stamp.createAuthenticators({ userId, authenticators });
  await backend.forward('createAuthenticators', stamped);
}

/** A guard: it binds the owner too. */
export async function addRule({ organizationId, passkeys }, perDay) {
  const kind = 'SIGN_USER_OPERATION_INTENT';
  const stamped = await clientOf(organizationId, passkeys).stamp.createPolicy({
    policyName: `At most ${perDay} ${perDay === 1 ? 'mint' : 'mints'} in 24 hours`,
    effect: 'EFFECT_GUARD',
    language: 'cel',
    condition: `activity.kind == '${kind}' && activities('${kind}', '24h') >= ${perDay}`,
    delaySeconds: 0,
  });
  await backend.forward('createPolicy', stamped);
}

export async function removeRule({ organizationId, passkeys }, policyId) {
  const stamped = await clientOf(organizationId, passkeys).stamp.deletePolicy({ policyId });
  await backend.forward('deletePolicy', stamped);
}
