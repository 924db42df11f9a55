/** Conversions between types (CEL specification, "Type Conversions"), and those to wide integers and addresses. */
import { parseAddress } from '../../decode/ethereum-address.ts';
import { invalidAddress, invalidBool, invalidNumber, invalidUtf8, overflow } from '../failure.ts';
import { rangeOf } from '../numbers.ts';
import type { Apply } from '../plan.ts';
import { foldCase } from '../text.ts';
import {
  checkDuration,
  checkTimestamp,
  formatDuration,
  formatTimestamp,
  parseDuration,
  parseTimestamp,
  timestampSeconds,
} from '../time.ts';
import { types } from '../type-relations.ts';
import type { Type, Value } from '../types.ts';
import type { FunctionDefinition, FunctionTable, Overload, Parameter } from './overload.ts';

const convert = (result: Type, overloads: readonly (readonly [Parameter, Apply])[]): FunctionDefinition => ({
  form: 'global',
  overloads: overloads.map(([parameter, apply]): Overload => ({ parameters: [parameter], result, apply })),
});

const same: Apply = (value: Value) => value;

const ranges = {
  int: rangeOf(types.int, 'cel'),
  uint: rangeOf(types.uint, 'cel'),
  uint256: rangeOf(types.wideUint, 'cel'),
} as const;

const within =
  (kind: keyof typeof ranges) =>
  (value: bigint): bigint => {
    if (value < ranges[kind].min || value > ranges[kind].max) throw overflow;
    return value;
  };

const fromText =
  (kind: keyof typeof ranges) =>
  (text: string): bigint => {
    const valid = kind === 'int' ? /^[+-]?[0-9]{1,100}$/ : /^(?:[0-9]{1,100}|0x[0-9a-fA-F]{1,100})$/;
    if (!valid.test(text) || (kind === 'uint' && text.startsWith('0x'))) throw invalidNumber;
    return within(kind)(BigInt(text));
  };

/** Towards zero; the bounds themselves are refused, for a double does not tell them from their neighbours. */
const fromDouble =
  (kind: keyof typeof ranges) =>
  (value: number): bigint => {
    if (!Number.isFinite(value)) throw overflow;
    const whole = BigInt(Math.trunc(value));
    if (kind === 'int' && (whole <= ranges.int.min || whole >= ranges.int.max)) throw overflow;
    return within(kind)(whole);
  };

function parseDouble(text: string): number {
  const special = /^([+-]?)(?:inf|infinity)$/i.exec(text);
  if (special !== null) return special[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  if (/^nan$/i.test(text)) return Number.NaN;
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text)) throw invalidNumber;
  return Number(text);
}

function formatDouble(value: number): string {
  if (Number.isFinite(value)) return Object.is(value, -0) ? '-0' : value.toString().replace(/e([+-])(\d)$/, 'e$10$2');
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw invalidUtf8;
  }
}

function parseBool(text: string): boolean {
  if (/^(?:1|t|true|TRUE|True)$/.test(text)) return true;
  if (/^(?:0|f|false|FALSE|False)$/.test(text)) return false;
  throw invalidBool;
}

/** The text of an address as facts carry it; mixed case must be its checksum (EIP-55). */
function readAddress(text: string): string {
  if (parseAddress(text) === undefined) throw invalidAddress;
  return foldCase(text);
}

export const conversions: FunctionTable = new Map<string, FunctionDefinition>([
  [
    'int',
    convert(types.int, [
      ['int', within('int')],
      ['uint', within('int')],
      ['double', fromDouble('int')],
      ['string', fromText('int')],
      ['timestamp', timestampSeconds],
    ]),
  ],
  [
    'uint',
    convert(types.uint, [
      ['uint', within('uint')],
      ['int', within('uint')],
      ['double', fromDouble('uint')],
      ['string', fromText('uint')],
    ]),
  ],
  [
    'uint256',
    convert(types.wideUint, [
      ['uint', same],
      ['int', within('uint256')],
      ['string', fromText('uint256')],
    ]),
  ],
  [
    'double',
    convert(types.double, [
      ['double', same],
      ['int', Number],
      ['uint', Number],
      ['string', parseDouble],
    ]),
  ],
  [
    'bool',
    convert(types.bool, [
      ['bool', same],
      ['string', parseBool],
    ]),
  ],
  [
    'string',
    convert(types.string, [
      ['text', same],
      ['bool', String],
      ['int', String],
      ['uint', String],
      ['double', formatDouble],
      ['bytes', decodeUtf8],
      ['timestamp', formatTimestamp],
      ['duration', formatDuration],
    ]),
  ],
  [
    'bytes',
    convert(types.bytes, [
      ['bytes', same],
      ['string', (text: string) => new Uint8Array(Buffer.from(text))],
    ]),
  ],
  ['address', convert(types.address, [['text', readAddress]])],
  [
    'timestamp',
    convert(types.timestamp, [
      ['timestamp', same],
      ['string', parseTimestamp],
      ['int', (seconds: bigint) => checkTimestamp(seconds * 1_000_000_000n)],
    ]),
  ],
  [
    'duration',
    convert(types.duration, [
      ['duration', same],
      ['string', parseDuration],
      ['int', (seconds: bigint) => checkDuration(seconds * 1_000_000_000n)],
    ]),
  ],
]);
