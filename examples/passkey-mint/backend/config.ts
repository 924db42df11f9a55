import type { Address, Hex } from 'viem';

export type ApiKey = { readonly publicKey: string; readonly privateKey: string };

export type Contracts = Readonly<Record<'entryPoint' | 'delegate' | 'nft' | 'sponsor', Address>>;

/** What the backend is given. No key in it can sign for a user, nor do what the parent's policies do not say. */
export type Config = {
  readonly port: number;
  /** Where Countersign is, and the company's own organization in it. */
  readonly countersign: { readonly baseUrl: string; readonly organizationId: string };
  /** Makes users' organizations and reads them. */
  readonly registrar: ApiKey;
  /** Agrees to pay for mints, with the key of `address`, which is in Countersign. */
  readonly sponsor: ApiKey & { readonly address: Address };
  /** An account with ether that puts operations on chain; in production a bundler service does that. */
  readonly bundlerKey: Hex;
  readonly chain: { readonly id: number; readonly rpcUrl: string };
  readonly contracts: Contracts;
};
