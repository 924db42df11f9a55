import type { AccountKind } from './account-kinds.ts';

/** A contract that EOAs are known to run by EIP-7702. */
export type KnownDelegate = {
  readonly address: string;
  /** null: its operations are not understood here. */
  readonly kind: AccountKind | null;
  readonly name: string;
  /** Where its address is published. */
  readonly source: string;
};

const viem = 'viem 2.57.1, toSimple7702SmartAccount';

const delegates: readonly KnownDelegate[] = [
  {
    address: '0xe6cae83bde06e4c305530e199d7217f42808555b',
    kind: 'simple-7702',
    name: 'Simple7702Account 0.8',
    source: `${viem}; @account-abstraction/contracts 0.8.0 by CREATE2 with salt 0`,
  },
  {
    address: '0xa46cc63ebf4bd77888aa327837d20b23a63a56b5',
    kind: 'simple-7702',
    name: 'Simple7702Account 0.9',
    source: viem,
  },
  {
    address: '0xd6cedde84be40893d153be9d467cd6ad37875b28',
    kind: 'kernel-3',
    name: 'Kernel 3.3',
    source: 'permissionless 0.4.1, to7702KernelSmartAccount',
  },
  {
    address: '0x77020901f40be88df754e810da9868933787652b',
    kind: 'openfort-7702',
    name: 'Openfort OPF7702 1 for EntryPoint 0.9',
    source: 'github.com/openfort-xyz',
  },
  {
    address: '0x69007702764179f14f51cdce752f4f775d74e139',
    kind: null,
    name: 'Alchemy Modular Account 2 (SemiModularAccount7702)',
    source: 'github.com/alchemyplatform/modular-account',
  },
  {
    address: '0x63c0c19a282a1b52b07dd5a65b58948a07dae32b',
    kind: null,
    name: 'MetaMask EIP7702StatelessDeleGator 1.3',
    source: 'github.com/MetaMask/delegation-framework, release 1.3.0',
  },
  {
    address: '0x7702cb554e6bfb442cb743a7df23154544a7176c',
    kind: null,
    name: 'Coinbase EIP7702Proxy',
    source: 'github.com/base/eip-7702-proxy, README',
  },
];

/** By address in lower-case hex. */
export const knownDelegates: ReadonlyMap<string, KnownDelegate> = new Map(
  delegates.map((delegate) => [delegate.address, delegate]),
);
