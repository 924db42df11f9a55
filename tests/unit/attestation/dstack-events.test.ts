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

const registerOf = (events: { imr: number; event: string; event_payload: string }[]) =>
  events
    .filter(({ imr }) => imr === 3)
    .reduce((value, { event, event_payload }) => {
      const digest = sha384(Buffer.from('01000008', 'hex'), `:${event}:`, Buffer.from(event_payload, 'hex'));
      return sha384(value, digest);
    }, Buffer.alloc(48))
    .toString('hex');
const rtmr3 = registerOf(logged);

test('events that give the register are read, and of two with a name the first counts', () => {
  expect(readDstackEvents(JSON.stringify(logged), rtmr3)).toEqual({ 'app-id': 'aabb', 'compose-hash': 'c0ffee' });
});

test('a name with a colon, which would move bytes between name and payload, is refused', async () => {
  // An application whose own hash begins with a colon, and that logs the hash of another one later.
  const [own, other] = ['3a0badc0de', 'c0ffee'];
  const event = (name: string, payload: string) => ({ imr: 3, event: name, event_payload: payload });
  const measured = [event('compose-hash', own), event('compose-hash', other)];
  const shown = [event('compose-hash:', own.slice(2)), event('compose-hash', other)];
  const register = registerOf(measured);
  expect(readDstackEvents(JSON.stringify(measured), register)).toEqual({ 'compose-hash': own });
  expect(registerOf(shown)).toBe(register);
  expect(await outcomeOf(async () => readDstackEvents(JSON.stringify(shown), register))).toBe('MALFORMED');
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
