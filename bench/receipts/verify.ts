/** Receipts verified offline, with the SDK as an application has it: how long one takes, and altered ones, none of which may pass. */
import { verifyReceipt } from '../../sdk/src/verify/index.ts';
import { type Cbor, decode, encode } from '../../src/protocol/cbor.ts';
import { median } from '../support/statistics.ts';
import type { Proving, Signed } from './proving.ts';

/** Median time of verifying one receipt with its body and its result, in µs. */
export async function timeVerification({ signed, logKey }: Proving, times: number): Promise<number> {
  const measured: number[] = [];
  const warmUp = times / 4;
  for (let round = 0; round < times + warmUp; round++) {
    const { receipt, body, result } = signed[round % signed.length] as Signed;
    const started = performance.now();
    const { ok, steps } = await verifyReceipt(receipt, { body, result, logKey });
    if (round >= warmUp) measured.push(1000 * (performance.now() - started));
    if (!ok) throw new Error(`a receipt does not verify: ${JSON.stringify(steps)}`);
  }
  return median(measured);
}

export type Tally = { tried: number; gained: number };

type Fields = Record<string, Cbor | undefined>;
const open = (bytes: unknown) => decode(bytes as Buffer) as Fields;
const close = (fields: Fields): Buffer => encode(fields as Cbor);

/** Alters receipts byte by byte (every `stride`-th), field by field, and their checkpoints line by line. */
export async function attackReceipts({ signed, logKey }: Proving, stride: number, tally: Tally): Promise<void> {
  const [own, other] = signed as [Signed, Signed];
  const { body, result } = own;
  const attempt = async (receipt: Uint8Array) => {
    tally.tried++;
    const { ok } = await verifyReceipt(receipt, { body, result, logKey });
    if (ok) tally.gained++;
  };
  for (const original of [own.receipt, own.stamped]) {
    for (let at = 0; at < original.length; at += stride) await attempt(flipped(original, at));
    for (const receipt of alteredFields(open(original), open(other.stamped))) await attempt(receipt);
  }
}

function flipped(original: Uint8Array, at: number): Buffer {
  const altered = Buffer.from(original);
  altered[at] = (altered[at] as number) ^ (1 << (at % 8));
  return altered;
}

/** Each part, each claim and each line of the checkpoint: left out, changed, or that of another receipt. */
function* alteredFields(own: Fields, other: Fields): Generator<Buffer> {
  const { stamps, ...bare } = own;
  // Without its stamps it is still a receipt, and one that says the same.
  for (const variant of variantsOf(own, other)) if (!stamps || !variant.equals(close(bare))) yield variant;
  for (const claims of variantsOf(open(own.claims), open(other.claims))) yield close({ ...own, claims });
  yield close({ ...own, claims: close({ ...open(own.claims), more: true }) });
  for (const statement of variantsOf(open(own.statement), { v: 2 })) yield close({ ...own, statement });
  const lines = (own.checkpoint as string).split('\n');
  const others = (other.checkpoint as string).split('\n');
  for (const [at, line] of lines.entries()) {
    for (const instead of [...without(line), others[at] ?? '']) {
      const checkpoint = lines.with(at, instead).join('\n');
      if (checkpoint !== own.checkpoint) yield close({ ...own, checkpoint });
    }
    yield close({ ...own, checkpoint: lines.toSpliced(at, 1).join('\n') });
    // A note may have more signatures, such as those of witnesses.
    if (at < lines.indexOf('')) yield close({ ...own, checkpoint: lines.toSpliced(at, 0, line).join('\n') });
  }
}

/** Neighbours of a line: its last digit or letter another one, and it with something behind it. */
const without = (line: string): string[] => [
  `${line.slice(0, -1)}${line.endsWith('1') ? '2' : '1'}`,
  `${line} `,
  line.toUpperCase(),
];

function* variantsOf(own: Fields, other: Fields): Generator<Buffer> {
  const whole = close(own);
  for (const [name, value] of Object.entries(own)) {
    const changed = [undefined, null, other[name], changedValue(value)];
    for (const instead of changed) {
      const variant = close({ ...own, [name]: instead });
      if (!variant.equals(whole)) yield variant;
    }
  }
}

function changedValue(value: Cbor | undefined): Cbor {
  if (typeof value === 'number') return value + 1;
  if (typeof value === 'string') return `${value}0`;
  if (value instanceof Uint8Array) return value.length > 0 ? flipped(value, value.length >> 1) : Buffer.of(0);
  return Array.isArray(value) ? [...value, ...value] : [];
}
