/** The sponsor's word that it pays (contracts/Sponsor.sol): typed data, so that whoever holds its key can read what it agrees to. */
import { type Address, encodePacked, type Hex, type LocalAccount } from 'viem';

export type Sponsorship = {
  readonly account: Address;
  readonly nonce: bigint;
  /** The call that is paid for. */
  readonly target: Address;
  readonly value: bigint;
  readonly data: Hex;
  /** Wei, all gas included. */
  readonly maxCost: bigint;
  /** Unix seconds. */
  readonly validUntil: number;
};

const types = {
  Sponsorship: [
    { name: 'account', type: 'address' },
    { name: 'nonce', type: 'uint256' },
    { name: 'target', type: 'address' },
    { name: 'value', type: 'uint256' },
    { name: 'data', type: 'bytes' },
    { name: 'maxCost', type: 'uint256' },
    { name: 'validUntil', type: 'uint48' },
  ],
} as const;

/** The operation's `paymasterData`, signed by the sponsor's `signer`, for the contract at `sponsor`. */
export async function paymasterDataOf(
  signer: Pick<LocalAccount, 'signTypedData'>,
  { chainId, sponsor }: { readonly chainId: number; readonly sponsor: Address },
  message: Sponsorship,
): Promise<Hex> {
  const domain = { name: 'Sponsor', version: '1', chainId, verifyingContract: sponsor } as const;
  const signature = await signer.signTypedData({ domain, types, primaryType: 'Sponsorship', message });
  return encodePacked(['uint48', 'bytes'], [message.validUntil, signature]);
}
