import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { readDstackEvents } from '../../../sdk/src/attestation/dstack-events.ts';
import { outcomeOf } from './alter.ts';

const sha384 = (...parts: (Buffer | string)[]) => {
  const hash = createHash('sha384');
  for (const part of parts) hash.update(part);
  return hash.digest();
};

const logged = [
  { imr: 0, event_type: 1, digest: '', event: 'compose-hash', event_payload: '00' },
  { imr: 3, event_type: 0x08000001, digest: '', event: 'app-id', event_payload: 'AABB' },
  { imr: 3, event_type: 0x08000001, digest: '', event: 'compose-hash', event_payload: 'c0ffee' },
  // Of the application, later.
  { imr: 3, event_type: 0x08000001, digest: '', event: 'compose-hash', event_payload: 'bad0' },
];

const rtmr3 = logged
  .filter(({ imr }) => imr === 3)
  .reduce((value, { event, event_payload }) => {
    const digest = sha384(Buffer.from('01000008', 'hex'), `:${event}:`, Buffer.from(event_payload, 'hex'));
    return sha384(value, digest);
  }, Buffer.alloc(48))
  .toString('hex');

test('events that give the register are read, and of two with a name the first counts', () => {
  expect(readDstackEvents(JSON.stringify(logged), rtmr3)).toEqual({ 'app-id': 'aabb', 'compose-hash': 'c0ffee' });
});

test('any other log is refused', async () => {
  const outcome = (events: unknown) => outcomeOf(async () => readDstackEvents(JSON.stringify(events), rtmr3));
  expect(await outcome(logged.slice(0, 3))).toBe('REGISTERS_MISMATCH');
  expect(await outcome(logged.toReversed())).toBe('REGISTERS_MISMATCH');
  expect(await outcome(logged.map((event) => ({ ...event, event_payload: '00' })))).toBe('REGISTERS_MISMATCH');
  expect(await outcome([])).toBe('REGISTERS_MISMATCH');
  for (const other of [
    null,
    {},
    [null],
    [{ imr: 3 }],
    [{ ...logged[1], event_payload: 'x' }],
    [{ ...logged[1], event_payload: 12 }],
  ]) {
    expect(await outcome(other)).toBe('MALFORMED');
  }
  expect(await outcomeOf(async () => readDstackEvents('{', rtmr3))).toBe('MALFORMED');
});
