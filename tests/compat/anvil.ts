/** A chain of one's own, as it is asked by those who test on it. */
import { createTestClient, http, publicActions } from 'viem';
import { foundry } from 'viem/chains';
import { startChain } from '../../examples/passkey-mint/chain/chain.ts';

export type Chain = Awaited<ReturnType<typeof startAnvil>>;

/** Starts a chain (id 31337) that makes a block for each transaction. */
export async function startAnvil() {
  const { rpcUrl: url, stop } = await startChain(undefined, 'prague');
  const client = createTestClient({ mode: 'anvil', chain: foundry, transport: http(url), pollingInterval: 20 });
  return { ...client.extend(publicActions), url, stop };
}

/** Keeps one number: calldata of 32 bytes sets it, none returns it. */
const store = '36600f5760005460005260206000f35b60003560005500';

/** Init code that deploys `store`: PUSH23 store, MSTORE at 0, RETURN its 23 bytes, which end the word. */
export const storeInitCode = `0x76${store}60005260176009f3` as const;
