/** The events of a dstack guest (Phala), which its register RTMR3 sums up: which application runs there, among others. */
import { sha384 } from '@noble/hashes/sha2.js';
import { concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { equalBytes } from '../../../src/protocol/log/tree.ts';
import { hex } from './bytes.ts';
import { refuse } from './evidence-error.ts';

/** Little-endian of the type 0x08000001, which events of the guest have. */
const runtimeEvent = Uint8Array.of(0x01, 0x00, 0x00, 0x08);

type LoggedEvent = { readonly imr: number; readonly event: string; readonly event_payload: string };

/**
 * Payloads (hex) of the guest's events by their names, `compose-hash` among them, from the JSON text `eventLog`: its digests
 * are computed anew and must give `rtmr3` (hex). Of a name that occurs twice the first counts. Throws an `EvidenceError`.
 */
export function readDstackEvents(eventLog: string, rtmr3: string): Readonly<Record<string, string>> {
  const events = parse(eventLog).filter(({ imr }) => imr === 3);
  const extend = (value: Uint8Array, { event, event_payload }: LoggedEvent) => {
    const colon = utf8ToBytes(':');
    const digest = sha384(concatBytes(runtimeEvent, colon, utf8ToBytes(event), colon, hexToBytes(event_payload)));
    return sha384(concatBytes(value, digest));
  };
  if (!equalBytes(events.reduce(extend, new Uint8Array(48)), hexToBytes(rtmr3))) {
    refuse(
      'REGISTERS_MISMATCH',
      `the log of events does not give the RTMR3 that was signed (${hex(hexToBytes(rtmr3))})`,
    );
  }
  return Object.fromEntries(
    events.toReversed().map(({ event, event_payload }) => [event, event_payload.toLowerCase()]),
  );
}

function parse(text: string): LoggedEvent[] {
  try {
    const events = JSON.parse(text);
    if (Array.isArray(events) && events.every(isEvent)) return events;
  } catch {
    // Said below.
  }
  return refuse('MALFORMED', 'event log: expected a JSON array of {imr, event, event_payload}, no name with a colon');
}

const isEvent = (value: unknown): value is LoggedEvent => {
  const { imr, event, event_payload } = Object(value);
  const isText = typeof event === 'string' && typeof event_payload === 'string';
  if (typeof imr !== 'number' || !isText || !/^([0-9a-f]{2})*$/i.test(event_payload)) return false;
  // A colon ends the name in what is hashed: with one in it, the same bytes would be an event of another name.
  return imr !== 3 || !event.includes(':');
};
