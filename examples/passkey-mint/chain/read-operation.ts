/** Operations in the JSON of bundlers (ERC-7769), as Countersign gives them back, in the shapes of viem. */
import { type Hex, hexToNumber, type SignedAuthorizationList } from 'viem';
import { formatUserOperation, type UserOperation } from 'viem/account-abstraction';

type AuthorizationJson = Readonly<Record<'address' | 'chainId' | 'nonce' | 'yParity' | 'r' | 's', Hex>>;
type OperationJson = { readonly eip7702Auth?: unknown } & Readonly<Record<string, unknown>>;

/** The operation by itself, for the EntryPoint, and the authorization that its transaction carries (EIP-7702), if there is one. */
export function readOperation({ eip7702Auth, ...fields }: OperationJson) {
  const operation: UserOperation = formatUserOperation(fields as Parameters<typeof formatUserOperation>[0]);
  return { operation, ...(eip7702Auth !== undefined && { authorizationList: [readAuthorization(eip7702Auth)] }) };
}

function readAuthorization(json: unknown): SignedAuthorizationList[number] {
  const { address, chainId, nonce, yParity, r, s } = json as AuthorizationJson;
  return {
    address,
    chainId: hexToNumber(chainId),
    nonce: hexToNumber(nonce),
    yParity: hexToNumber(yParity),
    r,
    s,
  };
}
