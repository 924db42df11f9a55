/** A chain node on loopback with all that the example needs on it: EntryPoints, account code, a sponsor and an NFT. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import {
  type Address,
  concat,
  createPublicClient,
  createWalletClient,
  encodeDeployData,
  getContractAddress,
  type Hex,
  http,
  parseAbi,
  parseEther,
} from 'viem';
import { createNonceManager, mnemonicToAccount } from 'viem/accounts';
import { anvil } from 'viem/chains';
import { jsonRpc } from 'viem/nonce';
import { freePort } from '../../../src/cli/port.ts';

const require = createRequire(import.meta.url);
type Artifact = { readonly abi: readonly unknown[]; readonly bytecode: Hex };
const artifactOf = (path: string): Artifact => require(path) as Artifact;

/** ABI and bytecode of `contracts/*.sol`. */
export const contracts = JSON.parse(readFileSync(new URL('contracts.json', import.meta.url), 'utf8')) as Readonly<
  Record<'Mint' | 'Sponsor', Artifact>
>;

const create2Deployer = '0x4e59b44847b379578588920cA78FbF26c0B4956C';
const noSalt = `0x${'0'.repeat(64)}` as const;

/** The canonical deployments: CREATE2 with the published salts gives the published addresses. */
const canonical = {
  'entry-point-0.6': ['contracts-0.6/artifacts/EntryPoint.json', noSalt],
  'entry-point-0.7': [
    'contracts-0.7/artifacts/EntryPoint.json',
    '0x90d8084deab30c2a37c45e8d47f49f2f7965183cb6990a98943ef94940681de3',
  ],
  'entry-point-0.8': [
    'contracts-0.8/artifacts/EntryPoint.json',
    '0x0a59dbff790c23c976a548690c27297883cc66b4c67024f9117b0238995e35e9',
  ],
  'simple-7702': ['contracts-0.8/artifacts/Simple7702Account.json', noSalt],
} as const satisfies Record<string, readonly [string, Hex]>;

export type Chain = Awaited<ReturnType<typeof startChain>>;

/** Starts anvil on a free port, or on `port`, with the rules of its newest fork or `hardfork`. Throws where there is no binary of it for this platform. */
export async function startChain(port?: number, hardfork?: string) {
  const found = port ?? (await freePort());
  const flags = [
    '--host',
    '127.0.0.1',
    '--port',
    String(found),
    '--silent',
    ...(hardfork ? ['--hardfork', hardfork] : []),
  ];
  const child = spawn(anvilPath(), flags, { stdio: 'ignore' });
  const kill = () => void child.kill('SIGKILL');
  process.once('exit', kill);
  const rpcUrl = `http://127.0.0.1:${found}`;
  const transport = http(rpcUrl, { retryCount: 0 });
  const client = createPublicClient({ chain: anvil, transport, pollingInterval: 50 });
  await answering(client, child);
  // Of this chain alone: viem's own counts those of all chains with the same id together.
  const nonceManager = createNonceManager({ source: jsonRpc() });
  const funded = (index: number) =>
    createWalletClient({
      account: mnemonicToAccount('test test test test test test test test test test test junk', {
        addressIndex: index,
        nonceManager,
      }),
      chain: anvil,
      transport,
    });
  const stop = () => {
    process.removeListener('exit', kill);
    kill();
  };
  return { rpcUrl, client, funded, stop };
}

/** Puts a contract at its canonical address, once. */
export async function deployCanonical(
  { client, funded }: Pick<Chain, 'client' | 'funded'>,
  name: keyof typeof canonical,
) {
  const [path, salt] = canonical[name];
  const { bytecode, abi } = artifactOf(path);
  const address = getContractAddress({ opcode: 'CREATE2', from: create2Deployer, salt, bytecode });
  if (!(await client.getCode({ address }))) {
    const hash = await funded(0).sendTransaction({
      to: create2Deployer,
      data: concat([salt, bytecode]),
      gas: 8_000_000n,
    });
    await client.waitForTransactionReceipt({ hash });
  }
  return { address, abi };
}

/** Deploys a contract of the example and returns its address. */
export async function deploy(
  { client, funded }: Pick<Chain, 'client' | 'funded'>,
  { abi, bytecode }: Artifact,
  args: unknown[],
) {
  const data = encodeDeployData({ abi, bytecode, args });
  const hash = await funded(0).sendTransaction({ data, gas: 8_000_000n });
  const { contractAddress } = await client.waitForTransactionReceipt({ hash });
  return contractAddress as Address;
}

const depositAbi = parseAbi(['function depositTo(address account) payable']);

/** EntryPoint 0.8, Simple7702Account, the NFT, and a sponsor with 10 ether that agrees to what `sponsorSigner` signs. */
export async function deployAll(chain: Chain, sponsorSigner: Address) {
  const entryPoint = (await deployCanonical(chain, 'entry-point-0.8')).address;
  const delegate = (await deployCanonical(chain, 'simple-7702')).address;
  const nft = await deploy(chain, contracts.Mint, []);
  const owner = chain.funded(0);
  const sponsor = await deploy(chain, contracts.Sponsor, [entryPoint, sponsorSigner, owner.account.address]);
  const hash = await owner.writeContract({
    address: entryPoint,
    abi: depositAbi,
    functionName: 'depositTo',
    args: [sponsor],
    value: parseEther('10'),
  });
  await chain.client.waitForTransactionReceipt({ hash });
  return { entryPoint, delegate, nft, sponsor };
}

/** Why no chain can be started here; undefined where one can. */
export const noAnvil = (): string | undefined => {
  try {
    anvilPath();
    return undefined;
  } catch {
    return 'there is no chain node for this platform: install @foundry-rs/anvil for it, or run this on Linux x64';
  }
};

const anvilPath = (): string => require.resolve('@foundry-rs/anvil-linux-amd64/bin/anvil');

async function answering(client: { getChainId(): Promise<number> }, child: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    if (child.exitCode !== null) throw new Error(`the chain node ended with ${child.exitCode}`);
    if (await client.getChainId().catch(() => 0)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  child.kill('SIGKILL');
  throw new Error('the chain node does not answer');
}
