/** The parts of a receipt and their shapes; nothing of it is verified here. */
import { base64urlnopad } from '@scure/base';
import { type Cbor, decodeBytes } from '../../../src/protocol/cbor-bytes.ts';
import type { ClaimedVote, Claims, Receipt } from '../../../src/protocol/receipt.ts';

/** The bytes are no receipt; `message` says what was expected. */
export class ReceiptError extends Error {
  override name = 'ReceiptError';
}

/** What an enclave says of itself at a start (docs/receipts.md). */
export type BootStatement = {
  /** Ed25519, 32 bytes. */
  readonly bootKey: Uint8Array;
  /** SHA-384 of the manifest of the enclave's sources. */
  readonly measurement: Uint8Array;
  readonly version: string;
  readonly sealing: string;
  readonly anchor: string;
  readonly isolation: string;
  readonly settings: Uint8Array;
  /** Unix ms. */
  readonly time: number;
};

/** `receipt` in bytes, in base64url, or an answer that carries one. Throws a `ReceiptError`. */
export function bytesOfReceipt(receipt: Uint8Array | string | object): Uint8Array {
  if (receipt instanceof Uint8Array) return receipt;
  const text = typeof receipt === 'string' ? receipt : (receipt as { receipt?: unknown }).receipt;
  if (typeof text !== 'string') throw new ReceiptError('there is no receipt: expected bytes, base64url or an answer');
  try {
    return base64urlnopad.decode(text.trim());
  } catch {
    throw new ReceiptError('the receipt is not base64url without padding');
  }
}

const members = ['v', 'claims', 'row', 'cose', 'checkpoint', 'statement', 'stamps'];

/** Throws a `ReceiptError`. */
export function readReceipt(bytes: Uint8Array): Receipt {
  const fields = readMap(bytes, 'receipt');
  version(fields);
  // Nothing vouches for what is not looked at.
  const unknown = Object.keys(fields).find((name) => !members.includes(name));
  if (unknown !== undefined) throw expected('receipt', `no member ${JSON.stringify(unknown)}`);
  return {
    v: 1,
    claims: bytesAt(fields, 'claims'),
    row: bytesAt(fields, 'row', 32),
    cose: bytesAt(fields, 'cose'),
    checkpoint: textAt(fields, 'checkpoint'),
    statement: bytesAt(fields, 'statement'),
    ...(fields.stamps !== undefined && { stamps: listAt(fields, 'stamps').map(readStamp) }),
  };
}

/** Throws a `ReceiptError`. */
export function readClaims(bytes: Uint8Array): Claims {
  const fields = readMap(bytes, 'claims');
  version(fields);
  const decision = asMap(fields.decision, 'decision');
  return {
    v: 1,
    organization: textAt(fields, 'organization'),
    activity: textAt(fields, 'activity'),
    type: textAt(fields, 'type'),
    status: textAt(fields, 'status'),
    request: bytesAt(fields, 'request', 32),
    votes: listAt(fields, 'votes').map(readVote),
    decision: {
      outcome: textAt(decision, 'outcome'),
      decidedBy: decision.decidedBy === null ? null : textAt(decision, 'decidedBy'),
      policies: bytesAt(decision, 'policies', 32),
    },
    signed: listAt(fields, 'signed').map((item) => {
      const signed = asMap(item, 'signed');
      return { payload: bytesAt(signed, 'payload', 32), signature: bytesAt(signed, 'signature', 32) };
    }),
    result: fields.result === null ? null : bytesAt(fields, 'result', 32),
    headBefore: bytesAt(fields, 'headBefore', 32),
    headAfter: bytesAt(fields, 'headAfter', 32),
    sequence: numberAt(fields, 'sequence'),
    time: numberAt(fields, 'time'),
    enclave: bytesAt(fields, 'enclave', 32),
  };
}

/** Throws a `ReceiptError`. */
export function readStatement(bytes: Uint8Array): BootStatement {
  const fields = readMap(bytes, 'statement');
  version(fields);
  return {
    bootKey: bytesAt(fields, 'bootKey', 32),
    measurement: bytesAt(fields, 'measurement', 48),
    version: textAt(fields, 'version'),
    sealing: textAt(fields, 'sealing'),
    anchor: textAt(fields, 'anchor'),
    isolation: textAt(fields, 'isolation'),
    settings: bytesAt(fields, 'settings', 32),
    time: numberAt(fields, 'time'),
  };
}

function readVote(item: Cbor): ClaimedVote {
  const fields = asMap(item, 'votes');
  const kind = textAt(fields, 'kind');
  const selection = textAt(fields, 'selection');
  if (kind !== 'apiKey' && kind !== 'passkey') throw expected('votes', 'a kind of stamp');
  if (selection !== 'VOTE_SELECTION_APPROVED' && selection !== 'VOTE_SELECTION_REJECTED')
    throw expected('votes', 'a yes or a no');
  return {
    kind,
    credential: textAt(fields, 'credential'),
    publicKey: bytesAt(fields, 'publicKey'),
    selection,
    at: numberAt(fields, 'at'),
    ...(fields.body !== undefined && { body: bytesAt(fields, 'body', 32) }),
  };
}

function readStamp(item: Cbor): NonNullable<Receipt['stamps']>[number] {
  const fields = asMap(item, 'stamps');
  const common = { body: bytesAt(fields, 'body'), signature: bytesAt(fields, 'signature') };
  if (fields.scheme !== undefined) return { ...common, scheme: textAt(fields, 'scheme') };
  return {
    ...common,
    authenticatorData: bytesAt(fields, 'authenticatorData'),
    clientDataJson: bytesAt(fields, 'clientDataJson'),
  };
}

type Fields = { readonly [name: string]: Cbor | undefined };

export function readMap(bytes: Uint8Array, what: string): Fields {
  let item: Cbor;
  try {
    item = decodeBytes(bytes);
  } catch (error) {
    throw new ReceiptError(`${what}: ${(error as Error).message}`);
  }
  return asMap(item, what);
}

function asMap(item: Cbor | undefined, what: string): Fields {
  if (typeof item === 'object' && item !== null && !Array.isArray(item) && !(item instanceof Uint8Array)) {
    return item as Fields;
  }
  throw expected(what, 'a map');
}

export function version({ v }: Fields): void {
  if (v !== 1) throw expected('v', 'version 1');
}

export function bytesAt(fields: Fields, name: string, length?: number): Uint8Array {
  const value = fields[name];
  if (value instanceof Uint8Array && (length === undefined || value.length === length)) return value;
  throw expected(name, length === undefined ? 'bytes' : `${length} bytes`);
}

export function textAt(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value === 'string') return value;
  throw expected(name, 'text');
}

export function numberAt(fields: Fields, name: string): number {
  const value = fields[name];
  if (typeof value === 'number') return value;
  throw expected(name, 'a number');
}

export function listAt(fields: Fields, name: string): readonly Cbor[] {
  const value = fields[name];
  if (Array.isArray(value)) return value;
  throw expected(name, 'a list');
}

const expected = (name: string, what: string): ReceiptError => new ReceiptError(`${name}: expected ${what}`);
