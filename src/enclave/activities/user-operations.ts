/** What signing a user operation and completing an intent have in common. */
import { authorizationHash } from '../../decode/authorization.ts';
import { bytesToHex } from '../../decode/hex.ts';
import { digestToSign, wrapSignature } from '../../decode/user-operation/digest.ts';
import { userOperationFacts } from '../../decode/user-operation/facts.ts';
import { userOperationHash } from '../../decode/user-operation/hash.ts';
import { maxCostOf } from '../../decode/user-operation/max-cost.ts';
import { writeUserOperation } from '../../decode/user-operation/write-user-operation.ts';
import type { Result } from '../../protocol/activities/activity.ts';
import type { signUserOperation } from '../../protocol/activities/sign-user-operation.ts';
import type { EffectContext } from '../effect.ts';
import { type Signature, signBytes } from '../keys/curve.ts';
import { interfacesOf } from '../policy-facts.ts';
import type { OwnedOperation } from '../user-operations.ts';
import { invalidField } from './refusals.ts';

type SignedOperation = Result<typeof signUserOperation>;

/** Signs the operation, and the EIP-7702 authorization that goes with it, in one opening of the key. */
export async function signOperation(context: EffectContext, owned: OwnedOperation): Promise<SignedOperation> {
  const { operation, account, signer } = owned;
  const authorization = authorizationToSign(owned);
  const messages = [digestToSign(operation, account), ...(authorization ? [hashOf(authorization)] : [])];
  const [signed, authorized] = (await context.withKey(signer.id, signer.publicKey, (secret) =>
    messages.map((message) => signBytes(signer.curve, secret, message)),
  )) as [Signature, Signature?];
  const signature = bytesToHex(wrapSignature(compact(signed), account));
  const eip7702Auth = authorization && authorized && writeAuthorization(authorization, authorized);
  return {
    userOpHash: bytesToHex(userOperationHash(operation)),
    signature,
    userOperation: { ...writeUserOperation(operation), ...(eip7702Auth && { eip7702Auth }), signature },
    decoded: decodedView(context, owned),
  };
}

/** Who stamps an operation stamps the one authorization that it needs: of its chain, its account, and the code it binds. */
function authorizationToSign({ operation, account, ownerAddress }: OwnedOperation) {
  const { authorization, sender, chainId } = operation;
  if (authorization === null) return null;
  const field = 'parameters.userOperation.eip7702Auth';
  if (authorization.chainId !== chainId) {
    throw invalidField(field, `expected the chain id ${chainId}: one of 0 would hold on every chain`);
  }
  if (sender !== ownerAddress || authorization.address !== account.delegate) {
    throw invalidField(field, 'expected an authorization of the signing address for the code that it is known to run');
  }
  return authorization;
}

const compact = ({ r, s, v }: Signature): Buffer => Buffer.from(`${r}${s}${v === '00' ? '1b' : '1c'}`, 'hex');

type Authorization = NonNullable<OwnedOperation['operation']['authorization']>;

const hashOf = ({ address, ...authorization }: Authorization): Buffer =>
  authorizationHash({ ...authorization, address: Buffer.from(address.slice(2), 'hex') });

const writeAuthorization = ({ chainId, address, nonce }: Authorization, { r, s, v }: Signature) => ({
  chainId: quantity(chainId),
  address,
  nonce: quantity(nonce),
  yParity: quantity(BigInt(`0x${v}`)),
  r: quantity(BigInt(`0x${r}`)),
  s: quantity(BigInt(`0x${s}`)),
});

const quantity = (value: bigint): string => `0x${value.toString(16)}`;

function decodedView({ organization }: EffectContext, { operation, account, ownerAddress }: OwnedOperation) {
  const facts = userOperationFacts(operation, account, ownerAddress, interfacesOf(organization));
  return {
    calls: facts.calls.map(({ to, value, data, name, depth }) => ({
      to,
      value: String(value),
      data,
      name,
      depth: Number(depth),
    })),
    callsComplete: facts.calls_complete,
    opaque: facts.opaque,
    paymaster: facts.paymaster,
    maxCost: String(maxCostOf(operation)),
    totalValue: String(facts.total_value),
  };
}
