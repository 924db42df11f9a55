/** Compiles the contracts into `contracts.json`: `node examples/passkey-mint/chain/compile.ts`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Hex } from 'viem';

const require = createRequire(import.meta.url);
const solc = require('solc') as { compile(input: string, callbacks: { import(path: string): object }): string };

const names = ['Mint', 'Sponsor'] as const;
const ownSources = (): Record<string, string> =>
  Object.fromEntries(
    names.map((name) => [name, readFileSync(new URL(`contracts/${name}.sol`, import.meta.url), 'utf8')]),
  );

const packages: Readonly<Record<string, string>> = {
  '@account-abstraction/contracts/': 'contracts-0.8/',
  '@openzeppelin/contracts/': '@openzeppelin/contracts/',
};

function findImport(path: string): object {
  const prefix = Object.keys(packages).find((each) => path.startsWith(each));
  if (!prefix) return { error: `not found: ${path}` };
  return { contents: readFileSync(require.resolve(`${packages[prefix]}${path.slice(prefix.length)}`), 'utf8') };
}

type Output = {
  readonly errors?: readonly { readonly severity: string; readonly formattedMessage: string }[];
  readonly contracts: Readonly<
    Record<string, Readonly<Record<string, { abi: readonly unknown[]; evm: { bytecode: { object: string } } }>>>
  >;
};

/** ABI and bytecode of every contract in sources by name. Throws the compiler's own words. */
export function compileContracts(
  sources: Readonly<Record<string, string>>,
): Record<string, { abi: readonly unknown[]; bytecode: Hex }> {
  const input = {
    language: 'Solidity',
    sources: Object.fromEntries(Object.entries(sources).map(([name, content]) => [`${name}.sol`, { content }])),
    settings: {
      evmVersion: 'cancun',
      optimizer: { enabled: true, runs: 1_000_000 },
      outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object'] } },
    },
  };
  const output = JSON.parse(solc.compile(JSON.stringify(input), { import: findImport })) as Output;
  const errors = output.errors?.filter(({ severity }) => severity === 'error') ?? [];
  if (errors.length > 0) throw new Error(errors.map(({ formattedMessage }) => formattedMessage).join('\n'));
  return Object.fromEntries(
    Object.keys(sources).flatMap((name) =>
      Object.entries(output.contracts[`${name}.sol`] ?? {}).map(([contract, { abi, evm }]) => [
        contract,
        { abi, bytecode: `0x${evm.bytecode.object}` as const },
      ]),
    ),
  );
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  writeFileSync(
    new URL('contracts.json', import.meta.url),
    `${JSON.stringify(compileContracts(ownSources()), null, 1)}\n`,
  );
}
