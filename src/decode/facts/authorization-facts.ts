import { struct } from './value.ts';

/** `eth.eip_7702_authorization`: the account lets the code at `address` act for it, on every chain where `chain_id` is 0. */
export type AuthorizationFacts = { readonly address: string; readonly chain_id: bigint; readonly nonce: bigint };

/** Of an authorization whose address is lower-case hex. */
export const authorizationFacts = ({
  address,
  chainId,
  nonce,
}: {
  readonly address: string;
  readonly chainId: bigint;
  readonly nonce: bigint;
}): AuthorizationFacts => struct({ address, chain_id: chainId, nonce });
