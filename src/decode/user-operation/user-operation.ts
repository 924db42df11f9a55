/** User operations (ERC-4337) as bundlers take them in JSON (ERC-7769), one shape for all versions of the EntryPoint. */
import { type CountersignError, invalidArgument } from '../../protocol/errors.ts';
import type { JsonObject, JsonValue } from '../../protocol/json.ts';
import { parseAddress } from '../ethereum-address.ts';
import { bytesToHex, hexToBytes } from '../hex.ts';
import { parseInteger } from '../integer.ts';
import { isObject } from '../json-text.ts';

export type EntryPointVersion = '0.6' | '0.7' | '0.8' | '0.9';

/** The canonical deployments, at the same address on every chain. Lower case. */
export const entryPoints: ReadonlyMap<string, EntryPointVersion> = new Map([
  ['0x5ff137d4b0fdcd49dca30c7cf57e578a026d2789', '0.6'],
  ['0x0000000071727de22e5e9d8baf0edac6f37da032', '0.7'],
  ['0x4337084d9e255ff0702461cf8895ce9e3b5ff108', '0.8'],
  ['0x433709009b8330fda32311df1c2afa402ed8d009', '0.9'],
]);

/** `address` is lower-case hex. */
export type EntryPoint = { readonly address: string; readonly version: EntryPointVersion };

/** Integers in wei and gas, addresses in lower-case hex. The signature is no part of it. */
export type UserOperation = {
  readonly chainId: bigint;
  readonly entryPoint: EntryPoint;
  readonly sender: string;
  readonly nonce: bigint;
  /** null where the account exists already; `eip7702Flag` where it is an EOA with code. */
  readonly factory: string | null;
  readonly factoryData: Buffer;
  readonly callData: Buffer;
  readonly callGasLimit: bigint;
  readonly verificationGasLimit: bigint;
  readonly preVerificationGas: bigint;
  readonly maxFeePerGas: bigint;
  readonly maxPriorityFeePerGas: bigint;
  readonly paymaster: string | null;
  /** 0 in version 0.6, which has no limits for the paymaster. */
  readonly paymasterVerificationGasLimit: bigint;
  readonly paymasterPostOpGasLimit: bigint;
  /** Without the signature that version 0.9 lets the paymaster add. */
  readonly paymasterData: Buffer;
  /** Version 0.9: the paymaster may add its signature, or another, after the account has signed. */
  readonly paymasterSigned: boolean;
  /** The EIP-7702 authorization that is to be sent along, or none. */
  readonly authorization: { readonly chainId: bigint; readonly address: string; readonly nonce: bigint } | null;
  /** The code that the account runs by EIP-7702, where the operation or the context names it. */
  readonly delegate: string | null;
  /** The hash of the operation commits to `delegate`. */
  readonly delegateBound: boolean;
};

/** The factory of an account that is an EOA with code (EntryPoint 0.8, `Eip7702Support`). */
export const eip7702Flag = `0x7702${'0'.repeat(36)}`;

/** What the sender does not choose: it is sealed with the account. `delegate` is the code it is known to run by EIP-7702. */
export type OperationContext = {
  readonly chainId: bigint;
  readonly entryPoint: EntryPoint;
  readonly delegate?: string;
};

const maxBytes = 131_072;
/** The EntryPoint refuses more (AA94). */
const gasBits = 120;
/** The end of a paymaster's data that carry its signature: the first bytes of keccak256("PaymasterSignature"). */
export const paymasterSignatureMagic = Buffer.from('22e325a297439656', 'hex');

const commonFields = [
  'sender',
  'nonce',
  'callData',
  'callGasLimit',
  'verificationGasLimit',
  'preVerificationGas',
  'maxFeePerGas',
  'maxPriorityFeePerGas',
  'signature',
  'eip7702Auth',
];
const fields06 = new Set([...commonFields, 'initCode', 'paymasterAndData']);
const fields07 = new Set([
  ...commonFields,
  'factory',
  'factoryData',
  'paymaster',
  'paymasterVerificationGasLimit',
  'paymasterPostOpGasLimit',
  'paymasterData',
]);
const fields09 = new Set([...fields07, 'paymasterSignature']);

/**
 * The user operation that `given` is in the JSON of bundlers: the fields of version 0.6, or the unpacked ones of later versions
 * (ERC-7769). `signature` may be there and is not read. Throws INVALID_ARGUMENT `invalid user operation: …` that names the
 * field below `path`.
 */
export function readUserOperation(given: JsonObject, context: OperationContext, path: string): UserOperation {
  const { version } = context.entryPoint;
  const next = fieldReader(given, path);
  next.refuseOthers(version === '0.6' ? fields06 : version === '0.9' ? fields09 : fields07, version);
  const account = version === '0.6' ? readInitCode(next) : readFactory(next, version);
  const sponsor = version === '0.6' ? readPaymasterAndData(next) : readPaymaster(next, version);
  const callData = next.bytes('callData');
  const total = callData.length + account.factoryData.length + sponsor.paymasterData.length;
  if (total > maxBytes) throw next.invalid('', `expected at most ${maxBytes} bytes of data in all`);
  const authorization = readAuthorization(next, context.chainId);
  const delegate = authorization?.address ?? context.delegate ?? null;
  const isFlagged = version >= '0.8' && account.factory === eip7702Flag;
  if (isFlagged && !delegate) {
    throw next.invalid('eip7702Auth', 'expected the authorization, as the factory 0x7702 binds its delegate');
  }
  return {
    chainId: context.chainId,
    entryPoint: context.entryPoint,
    sender: next.address('sender'),
    nonce: next.integer('nonce', 256),
    ...account,
    callData,
    callGasLimit: next.integer('callGasLimit', gasBits),
    verificationGasLimit: next.integer('verificationGasLimit', gasBits),
    preVerificationGas: next.integer('preVerificationGas', gasBits),
    maxFeePerGas: next.integer('maxFeePerGas', gasBits),
    maxPriorityFeePerGas: next.integer('maxPriorityFeePerGas', gasBits),
    ...sponsor,
    authorization,
    delegate,
    delegateBound: isFlagged,
  };
}

type FieldReader = ReturnType<typeof fieldReader>;

function fieldReader(given: JsonObject, path: string) {
  const invalid = (name: string, problem: string): CountersignError => {
    const field = name === '' ? path : `${path}.${name}`;
    const description = name === '' ? problem : `${name}: ${problem}`;
    return invalidArgument(`invalid user operation: ${description}`, { fields: [{ field, description: problem }] });
  };
  /** Clients write what is not there as null or `0x` as well. */
  const has = (name: string): boolean => given[name] !== undefined && given[name] !== null && given[name] !== '0x';
  const bytes = (name: string): Buffer => {
    const value: JsonValue | undefined = has(name) ? given[name] : '0x';
    const read = typeof value === 'string' && value.startsWith('0x') ? hexToBytes(value) : undefined;
    if (!read) throw invalid(name, 'expected 0x and hex digits of whole bytes');
    return read;
  };
  return {
    invalid,
    has,
    bytes,
    given: (name: string): JsonValue | undefined => given[name],
    address(name: string): string {
      const value = given[name];
      const address = typeof value === 'string' ? parseAddress(value) : undefined;
      if (!address) throw invalid(name, 'expected an address (0x and 40 digits; mixed case as in EIP-55)');
      if (address.every((byte) => byte === 0)) throw invalid(name, 'expected another address than 0');
      return bytesToHex(address);
    },
    integer(name: string, bits: number): bigint {
      const integer = parseInteger(given[name]);
      if (integer === undefined || BigInt.asUintN(bits, integer) !== integer) {
        throw invalid(name, `expected an integer of at most ${bits} bits, in 0x and hex digits`);
      }
      return integer;
    },
    refuseOthers(known: ReadonlySet<string>, version: EntryPointVersion): void {
      const stray = Object.keys(given).find((name) => !known.has(name));
      if (stray === undefined) return;
      throw invalid(stray.slice(0, 64).toWellFormed(), `not a field of user operations of EntryPoint ${version}`);
    },
  };
}

type Deployment = Pick<UserOperation, 'factory' | 'factoryData'>;
const noBytes = Buffer.alloc(0);

function readInitCode(next: FieldReader): Deployment {
  const initCode = next.bytes('initCode');
  if (initCode.length === 0) return { factory: null, factoryData: noBytes };
  return { factory: leadingAddress(next, 'initCode', initCode), factoryData: initCode.subarray(20) };
}

/** The flag of EIP-7702 is written as two bytes, or with as many zeros after them as there is room for. */
const flagForm = /^0x7702(?:00){0,18}$/;

function readFactory(next: FieldReader, version: EntryPointVersion): Deployment {
  const factoryData = next.bytes('factoryData');
  if (!next.has('factory')) {
    if (factoryData.length > 0) throw next.invalid('factory', 'expected one, as there is factoryData');
    return { factory: null, factoryData };
  }
  const given = next.given('factory');
  const isFlag = typeof given === 'string' && flagForm.test(given);
  if (isFlag && version === '0.7') {
    throw next.invalid('factory', 'EntryPoint 0.7 knows no factory 0x7702: leave it out');
  }
  return { factory: isFlag ? eip7702Flag : next.address('factory'), factoryData };
}

type Sponsor = Pick<
  UserOperation,
  'paymaster' | 'paymasterVerificationGasLimit' | 'paymasterPostOpGasLimit' | 'paymasterData' | 'paymasterSigned'
>;

const noSponsor: Sponsor = {
  paymaster: null,
  paymasterVerificationGasLimit: 0n,
  paymasterPostOpGasLimit: 0n,
  paymasterData: noBytes,
  paymasterSigned: false,
};

function readPaymasterAndData(next: FieldReader): Sponsor {
  const all = next.bytes('paymasterAndData');
  if (all.length === 0) return noSponsor;
  const paymaster = leadingAddress(next, 'paymasterAndData', all);
  return { ...noSponsor, paymaster, paymasterData: all.subarray(20) };
}

function readPaymaster(next: FieldReader, version: EntryPointVersion): Sponsor {
  const paymasterData = next.bytes('paymasterData');
  if (!next.has('paymaster')) {
    const stray = ['paymasterData', 'paymasterSignature'].find((name) => next.has(name));
    if (stray) throw next.invalid('paymaster', `expected one, as there is ${stray}`);
    return noSponsor;
  }
  if (version === '0.9' && paymasterData.subarray(-8).equals(paymasterSignatureMagic)) {
    throw next.invalid('paymasterData', 'expected them without the signature, which is paymasterSignature');
  }
  // As a placeholder the signature may be empty, which stands for one that is still to come.
  const paymasterSigned = next.given('paymasterSignature') !== undefined && next.given('paymasterSignature') !== null;
  if (next.bytes('paymasterSignature').length > 65_535) throw next.invalid('paymasterSignature', 'too long');
  const limit = (name: string) => (next.given(name) === undefined ? 0n : next.integer(name, gasBits));
  return {
    paymaster: next.address('paymaster'),
    paymasterVerificationGasLimit: limit('paymasterVerificationGasLimit'),
    paymasterPostOpGasLimit: limit('paymasterPostOpGasLimit'),
    paymasterData,
    paymasterSigned,
  };
}

function leadingAddress(next: FieldReader, name: string, bytes: Buffer): string {
  const address = bytes.subarray(0, 20);
  if (address.length < 20) throw next.invalid(name, 'expected it empty, or an address and data');
  if (address.every((byte) => byte === 0)) throw next.invalid(name, 'expected another address than 0');
  return bytesToHex(address);
}

/** Its signature may be there and is not read: the account that signs the operation signs it as well, or has signed it. */
function readAuthorization(next: FieldReader, chainId: bigint): UserOperation['authorization'] {
  const given = next.given('eip7702Auth');
  if (given === undefined || given === null) return null;
  if (!isObject(given)) throw next.invalid('eip7702Auth', 'expected {chainId, address, nonce}');
  const stray = Object.keys(given).find((name) => !/^(?:chainId|address|nonce|yParity|v|r|s)$/.test(name));
  if (stray !== undefined) throw next.invalid('eip7702Auth', 'expected no other field than those of EIP-7702');
  const { address: text, chainId: chain, nonce: count } = given;
  const address = typeof text === 'string' ? parseAddress(text) : undefined;
  if (!address) throw next.invalid('eip7702Auth.address', 'expected an address (0x and 40 digits)');
  const authorized = parseInteger(chain);
  if (authorized !== 0n && authorized !== chainId) {
    throw next.invalid('eip7702Auth.chainId', `expected ${chainId}, the chain of the operation, or 0`);
  }
  const nonce = parseInteger(count);
  if (nonce === undefined || BigInt.asUintN(64, nonce) !== nonce) {
    throw next.invalid('eip7702Auth.nonce', 'expected an integer of at most 64 bits');
  }
  return { chainId: authorized, address: bytesToHex(address), nonce };
}
