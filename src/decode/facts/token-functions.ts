/** The functions of tokens (ERC-20, 721, 1155, 2612, 3009, WETH9) and what calls of them move. */
import { type BuiltInFunction, builtIn } from './built-in-function.ts';
import { type Move, maxUint256 } from './call.ts';

type Bytes = string;

/** ERC-20 and ERC-721 share two functions, in which a number is an amount or an id: it is shown as both. */
const either = 'ERC-20 or ERC-721';
const operators = 'ERC-721 or ERC-1155';

const erc20 = (kind: 'transfer' | 'approval', token: string, from: string, to: string, amount: bigint): Move => ({
  standard: 'ERC-20',
  kind,
  token,
  from,
  to,
  amount,
  id: 0n,
});

const nft = (token: string, from: string, to: string, id: bigint): Move => ({
  standard: 'ERC-721',
  kind: 'transfer',
  token,
  from,
  to,
  amount: 1n,
  id,
});

const authorized = (
  { to: token }: { readonly to: string },
  [from, to, value]: readonly [string, string, bigint, ...unknown[]],
) => [erc20('transfer', token, from, to, value)];

export const tokenFunctions: readonly BuiltInFunction[] = [
  builtIn<[string, bigint]>('0xa9059cbb', 'ERC-20', 'transfer(address to,uint256 amount)', {
    moves: ({ from, to: token }, [to, amount]) => [erc20('transfer', token, from, to, amount)],
  }),
  builtIn<[string, string, bigint]>('0x23b872dd', either, 'transferFrom(address from,address to,uint256 amount)', {
    moves: ({ to: token }, [from, to, amount]) => [
      { standard: either, kind: 'transfer', token, from, to, amount, id: amount },
    ],
  }),
  builtIn<[string, bigint]>('0x095ea7b3', either, 'approve(address spender,uint256 amount)', {
    moves: ({ from, to: token }, [to, amount]) => [
      { standard: either, kind: 'approval', token, from, to, amount, id: amount },
    ],
  }),
  builtIn<[string, bigint]>('0x39509351', 'ERC-20', 'increaseAllowance(address spender,uint256 addedValue)', {
    moves: ({ from, to: token }, [to, amount]) => [erc20('approval', token, from, to, amount)],
  }),
  builtIn('0xa457c2d7', 'ERC-20', 'decreaseAllowance(address spender,uint256 subtractedValue)'),
  builtIn<[string, string, bigint]>(
    '0xd505accf',
    'ERC-20',
    'permit(address owner,address spender,uint256 value,uint256 deadline,uint8 v,bytes32 r,bytes32 s)',
    { moves: ({ to: token }, [owner, spender, value]) => [erc20('approval', token, owner, spender, value)] },
  ),
  builtIn<[string, string, bigint, bigint, boolean]>(
    '0x8fcbaf0c',
    'ERC-20',
    'permit(address holder,address spender,uint256 nonce,uint256 expiry,bool allowed,uint8 v,bytes32 r,bytes32 s)',
    {
      moves: ({ to: token }, [holder, spender, , , allowed]) => [
        erc20('approval', token, holder, spender, allowed ? maxUint256 : 0n),
      ],
    },
  ),
  builtIn<[string, string, bigint]>(
    '0xe3ee160e',
    'ERC-20',
    'transferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce,uint8 v,bytes32 r,bytes32 s)',
    { moves: authorized },
  ),
  builtIn<[string, string, bigint]>(
    '0xef55bec6',
    'ERC-20',
    'receiveWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce,uint8 v,bytes32 r,bytes32 s)',
    { moves: authorized },
  ),
  builtIn<[string, string, bigint]>(
    '0x42842e0e',
    'ERC-721',
    'safeTransferFrom(address from,address to,uint256 tokenId)',
    { moves: ({ to: token }, [from, to, id]) => [nft(token, from, to, id)] },
  ),
  builtIn<[string, string, bigint]>(
    '0xb88d4fde',
    'ERC-721',
    'safeTransferFrom(address from,address to,uint256 tokenId,bytes data)',
    { moves: ({ to: token }, [from, to, id]) => [nft(token, from, to, id)] },
  ),
  builtIn<[string, boolean]>('0xa22cb465', operators, 'setApprovalForAll(address operator,bool approved)', {
    moves: ({ from, to: token }, [to, approved]) => [
      {
        standard: operators,
        kind: 'operator_approval',
        token,
        from,
        to,
        amount: approved ? maxUint256 : 0n,
        id: 0n,
      },
    ],
  }),
  builtIn<[string, string, bigint, bigint, Bytes]>(
    '0xf242432a',
    'ERC-1155',
    'safeTransferFrom(address from,address to,uint256 id,uint256 amount,bytes data)',
    {
      moves: ({ to: token }, [from, to, id, amount]) => [
        { standard: 'ERC-1155', kind: 'transfer', token, from, to, amount, id },
      ],
    },
  ),
  builtIn<[string, string, readonly bigint[], readonly bigint[], Bytes]>(
    '0x2eb2c2d6',
    'ERC-1155',
    'safeBatchTransferFrom(address from,address to,uint256[] ids,uint256[] amounts,bytes data)',
    {
      // Ids without an amount make the call fail on chain; one that is missing is shown as the greatest, to be safe.
      moves: ({ to: token }, [from, to, ids, amounts]) =>
        ids.map((id, index) => ({
          standard: 'ERC-1155',
          kind: 'transfer',
          token,
          from,
          to,
          amount: amounts[index] ?? maxUint256,
          id,
        })),
    },
  ),
  // What is deposited is the call's value; what is withdrawn stays with the caller.
  builtIn('0xd0e30db0', 'WETH9', 'deposit()'),
  builtIn('0x2e1a7d4d', 'WETH9', 'withdraw(uint256 wad)'),
];
