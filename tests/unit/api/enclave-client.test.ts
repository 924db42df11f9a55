import { afterEach, expect, test, vi } from 'vitest';
import { createEnclaveClient, type EnclaveClientParts } from '../../../src/api/enclave-client.ts';
import type { WriteTrouble } from '../../../src/api/storage/batch-writer.ts';
import type { BatchRows, RequestMessage } from '../../../src/protocol/messages.ts';
import { emptyBatch } from './batches.ts';
import { type Answer, openFakeEnclave, socketPair } from './fake-enclave.ts';

const request = { kind: 'submit', name: 'sign_raw_payload', body: Buffer.from('{}'), stamp: null } as const;

let open: { close(): void }[] = [];
afterEach(() => {
  for (const one of open) one.close();
  open = [];
});

async function connectedPair(
  parts: Partial<EnclaveClientParts> = {},
  answer?: (request: RequestMessage) => Answer | undefined | Promise<Answer | undefined>,
) {
  const [near, far] = await socketPair();
  const enclave = openFakeEnclave(far, answer);
  const written: BatchRows[] = [];
  let trouble: WriteTrouble | null = null;
  const client = createEnclaveClient({
    stream: near,
    writer: { write: (batch) => written.push(batch), lease: async () => null, trouble: () => trouble },
    addCheckpoint: async () => ({ status: 0, body: '' }),
    fetchRows: async () => ({ what: 'batches', batches: [] }),
    noteDenial: async () => {},
    onNoteFailed: () => {},
    onFetchFailed: () => {},
    onEnd: () => {},
    answerTimeout: 100,
    ...parts,
  });
  open.push(client, enclave);
  const setTrouble = (next: WriteTrouble | null) => {
    trouble = next;
  };
  return { client, enclave, written, setTrouble };
}

test('says hello first, then sends requests as they came and gives back the answers that belong to them', async () => {
  const { client, enclave } = await connectedPair({}, async ({ name, body }) => {
    if (name === 'slow') await new Promise((resolve) => setTimeout(resolve, 20));
    return { status: 201, body: { name, size: body.length } };
  });
  const stamp = { header: 'x-stamp', value: 'abc' } as const;
  const [slow, fast] = await Promise.all([
    client.request({ ...request, name: 'slow', body: Buffer.from([0, 0xff]), stamp }),
    client.request(request),
  ]);
  expect(slow).toMatchObject({ status: 201 });
  expect(JSON.parse(Buffer.from(slow.body).toString())).toEqual({ name: 'slow', size: 2 });
  expect(JSON.parse(Buffer.from(fast.body).toString())).toEqual({ name: 'sign_raw_payload', size: 2 });
  expect(enclave.received[0]).toEqual({ type: 'hello' });
  expect(enclave.received[1]).toMatchObject({ type: 'request', kind: 'submit', stamp, body: Buffer.from([0, 0xff]) });
});

test('a request that is not answered in time is unavailable, and its late answer is dropped', async () => {
  let answerLate = () => {};
  const late = new Promise<void>((resolve) => {
    answerLate = resolve;
  });
  const { client } = await connectedPair({}, async ({ name }) => {
    if (name === 'late') await late;
    return { status: 200, body: name };
  });
  const lateRequest = client.request({ ...request, name: 'late' });
  await expect(lateRequest).rejects.toMatchObject({ code: 'UNAVAILABLE', facts: { reason: 'ENCLAVE_TIMEOUT' } });
  expect(client.waiting()).toBe(0);
  answerLate();
  expect((await client.request({ ...request, name: 'next' })).body).toEqual(Buffer.from('"next"'));
});

test('while writes fail, held requests are told why in time, and new submits are refused at once', async () => {
  const { client, enclave, setTrouble } = await connectedPair({}, ({ kind }) =>
    kind === 'query' ? { status: 200, body: 'read' } : undefined,
  );
  setTrouble({ since: performance.now(), reason: 'the disk of the database is full' });
  await expect(client.request(request)).rejects.toThrow(
    'nothing can be recorded now: the disk of the database is full',
  );
  setTrouble({ since: performance.now() - 60_000, reason: 'the disk of the database is full' });
  const sent = enclave.received.length;
  await expect(client.request(request)).rejects.toMatchObject({ facts: { reason: 'DATABASE_UNAVAILABLE' } });
  expect(enclave.received.length).toBe(sent);
  expect((await client.request({ ...request, kind: 'query' })).status).toBe(200);
});

test('fetches are answered, failing ones without what the database said', async () => {
  const failed = vi.fn();
  const { enclave } = await connectedPair({
    noteDenial: async () => {},
    onNoteFailed: () => {},
    onFetchFailed: failed,
    fetchRows: async (fetch) => {
      if (fetch.what === 'lastBatch') return { what: 'lastBatch', batches: [] };
      throw Object.assign(new Error('connect ECONNREFUSED 10.1.2.3:5432'), { code: 'ECONNREFUSED' });
    },
  });
  expect(await enclave.fetch({ what: 'lastBatch' })).toEqual({ what: 'lastBatch', batches: [] });
  await expect(enclave.fetch({ what: 'batches', after: 1 })).rejects.toThrow(/^the database refuses connections$/);
  expect(failed).toHaveBeenCalledOnce();
});

test('batches go to the writer as they came, and their outcome goes back', async () => {
  const { client, enclave, written } = await connectedPair();
  const batch = { ...emptyBatch(3), removedLookups: [Buffer.from([1])], entries: Buffer.alloc(32, 7) };
  enclave.send({ type: 'write', batch });
  await vi.waitFor(() => expect(written).toEqual([batch]));
  client.report(3, 'committed');
  expect(await enclave.next('committed')).toEqual({ type: 'committed', number: 3 });
  client.report(4, 'conflict');
  expect(await enclave.next('conflict')).toEqual({ type: 'conflict', number: 4 });
});

test('when the enclave goes, waiting requests are unavailable and so is every later one', async () => {
  const onEnd = vi.fn();
  const { client, enclave } = await connectedPair({ onEnd, answerTimeout: 5_000 });
  const waiting = client.request(request);
  await enclave.next('request');
  enclave.close();
  await expect(waiting).rejects.toMatchObject({ facts: { reason: 'ENCLAVE_UNAVAILABLE' } });
  await expect(client.request(request)).rejects.toMatchObject({ facts: { reason: 'ENCLAVE_UNAVAILABLE' } });
  expect(onEnd).toHaveBeenCalledOnce();
});
