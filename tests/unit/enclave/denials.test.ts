import { createHash, randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Recorded } from '../../../src/enclave/activity-record.ts';
import { createDenials } from '../../../src/enclave/denials.ts';
import type { Port } from '../../../src/enclave/ledger/port.ts';
import { createSealer } from '../../../src/enclave/sealing/seal.ts';

test('notes in memory are bounded by what they take up, not by their bodies alone', async () => {
  let asked = 0;
  const port: Port = {
    fetch: async () => {
      asked++;
      return { what: 'denials', notes: [] };
    },
    write: () => {},
    note: () => {},
  };
  const denials = createDenials(port, createSealer(Buffer.alloc(32)));
  const notes = Array.from({ length: 4096 }, () => ({ organizationId: randomUUID(), body: Buffer.from(randomUUID()) }));
  for (const each of notes) denials.note(each as unknown as Recorded);
  for (const { organizationId, body } of notes)
    await denials.find(organizationId, createHash('sha256').update(body).digest('hex'));
  // With their stamps, which are some KiB each.
  expect(notes.length - asked).toBeGreaterThan(1024);
  expect(notes.length - asked).toBeLessThanOrEqual(2048);
});
