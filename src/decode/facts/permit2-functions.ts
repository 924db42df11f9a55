/** The functions of Permit2 (github.com/Uniswap/permit2) and what calls of them move. */
import { type BuiltInFunction, builtIn } from './built-in-function.ts';
import { type Move, maxUint256 } from './call.ts';

const standard = 'Permit2';

export type PermitDetails = readonly [token: string, amount: bigint, expiration: bigint, nonce: bigint];
type TokenPermissions = readonly [token: string, amount: bigint];
type TransferDetails = readonly [to: string, requestedAmount: bigint];
type Permit<Permitted> = readonly [permitted: Permitted, nonce: bigint, deadline: bigint];

export const permit2Move = (
  kind: 'transfer' | 'approval',
  token: string,
  from: string,
  to: string,
  amount: bigint,
): Move => ({ standard, kind, token, from, to, amount, id: 0n });

const one = (
  _: unknown,
  [[[token]], [to, amount], owner]: readonly [Permit<TokenPermissions>, TransferDetails, string, ...unknown[]],
) => [permit2Move('transfer', token, owner, to, amount)];

/** Where there are more details than tokens, the call fails on chain. */
const several = (
  _: unknown,
  [[permitted], details, owner]: readonly [
    Permit<readonly TokenPermissions[]>,
    readonly TransferDetails[],
    string,
    ...unknown[],
  ],
) =>
  permitted.map(([token], index) => {
    const [to, amount] = details[index] ?? ['', maxUint256];
    return permit2Move('transfer', token, owner, to, amount);
  });

type One = [Permit<TokenPermissions>, TransferDetails, string];
type Several = [Permit<readonly TokenPermissions[]>, readonly TransferDetails[], string];

const permitted = '(address token,uint256 amount)';
const details = '(address token,uint160 amount,uint48 expiration,uint48 nonce)';
const transferDetails = '(address to,uint256 requestedAmount)';
const witness = 'address owner,bytes32 witness,string witnessTypeString,bytes signature';

export const permit2Functions: readonly BuiltInFunction[] = [
  builtIn<[string, string, bigint, bigint]>(
    '0x87517c45',
    standard,
    'approve(address token,address spender,uint160 amount,uint48 expiration)',
    { moves: ({ from }, [token, spender, amount]) => [permit2Move('approval', token, from, spender, amount)] },
  ),
  builtIn<[string, string, bigint, string]>(
    '0x36c78516',
    standard,
    'transferFrom(address from,address to,uint160 amount,address token)',
    { moves: (_, [from, to, amount, token]) => [permit2Move('transfer', token, from, to, amount)] },
  ),
  builtIn<[readonly (readonly [string, string, bigint, string])[]]>(
    '0x0d58b1db',
    standard,
    'transferFrom((address from,address to,uint160 amount,address token)[] transferDetails)',
    {
      moves: (_, [all]) => all.map(([from, to, amount, token]) => permit2Move('transfer', token, from, to, amount)),
    },
  ),
  builtIn<[string, readonly [PermitDetails, string, bigint]]>(
    '0x2b67b570',
    standard,
    `permit(address owner,(${details} details,address spender,uint256 sigDeadline) permitSingle,bytes signature)`,
    {
      moves: (_, [owner, [[token, amount], spender]]) => [permit2Move('approval', token, owner, spender, amount)],
    },
  ),
  builtIn<[string, readonly [readonly PermitDetails[], string, bigint]]>(
    '0x2a2d80d1',
    standard,
    `permit(address owner,(${details}[] details,address spender,uint256 sigDeadline) permitBatch,bytes signature)`,
    {
      moves: (_, [owner, [all, spender]]) =>
        all.map(([token, amount]) => permit2Move('approval', token, owner, spender, amount)),
    },
  ),
  builtIn<One>(
    '0x30f28b7a',
    standard,
    `permitTransferFrom((${permitted} permitted,uint256 nonce,uint256 deadline) permit,${transferDetails} transferDetails,address owner,bytes signature)`,
    { moves: one },
  ),
  builtIn<Several>(
    '0xedd9444b',
    standard,
    `permitTransferFrom((${permitted}[] permitted,uint256 nonce,uint256 deadline) permit,${transferDetails}[] transferDetails,address owner,bytes signature)`,
    { moves: several },
  ),
  builtIn<One>(
    '0x137c29fe',
    standard,
    `permitWitnessTransferFrom((${permitted} permitted,uint256 nonce,uint256 deadline) permit,${transferDetails} transferDetails,${witness})`,
    { moves: one },
  ),
  builtIn<Several>(
    '0xfe8ec1a7',
    standard,
    `permitWitnessTransferFrom((${permitted}[] permitted,uint256 nonce,uint256 deadline) permit,${transferDetails}[] transferDetails,${witness})`,
    { moves: several },
  ),
];
