import type { Address, PublicClient } from 'viem';
import { parseAbiItem } from 'viem';

const transfer = parseAbiItem('event Transfer(address indexed from, address indexed to, uint256 indexed tokenId)');

/** Ids of the tokens that `address` was given; in this example nobody gives any away. */
export async function tokensOf(client: PublicClient, nft: Address, address: Address): Promise<number[]> {
  const logs = await client.getLogs({
    address: nft,
    event: transfer,
    args: { to: address },
    fromBlock: 0n,
    strict: true,
  });
  return logs.map(({ args }) => Number(args.tokenId));
}
