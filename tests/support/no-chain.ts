import { noAnvil } from '../../examples/passkey-mint/chain/chain.ts';

const reason = noAnvil();

/** For the names of tests on a chain: why they are skipped, empty where they are not. */
export const noChain = reason ? ` (skipped: ${reason})` : '';
