import { Duplex, PassThrough } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encode } from '../../../src/protocol/cbor.ts';
import { openChannel } from '../../../src/protocol/frames.ts';

type Message = { id: number; body: Uint8Array };

const frame = (message: Message): Buffer => {
  const body = encode(message);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  return Buffer.concat([length, body]);
};

/** A channel whose other side is in the test's hand. */
function openTestChannel(onMessage: (message: Message) => void = () => {}) {
  const incoming = new PassThrough();
  const written: Buffer[] = [];
  const stream = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      written.push(chunk);
      done();
    },
  });
  incoming.on('data', (chunk: Buffer) => stream.push(chunk));
  const ends: (Error | undefined)[] = [];
  const channel = openChannel<Message, Message>(stream, onMessage, (error) => ends.push(error));
  return { channel, stream, written, ends, receive: (bytes: Buffer) => stream.push(bytes) };
}

test('messages come out whole and in order however the stream is cut', async () => {
  const cuts = fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 60 });
  const bodies = fc.array(fc.uint8Array({ maxLength: 600 }), { minLength: 1, maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(bodies, cuts, async (all, sizes) => {
      const got: Message[] = [];
      const { receive, ends } = openTestChannel((message) => got.push(message));
      const bytes = Buffer.concat(all.map((body, id) => frame({ id, body })));
      for (let at = 0, index = 0; at < bytes.length; index++) {
        const size = sizes[index % sizes.length] as number;
        receive(bytes.subarray(at, at + size));
        at += size;
      }
      await turn();
      expect(got.map(({ id, body }) => [id, Buffer.from(body).toString('hex')])).toEqual(
        all.map((body, id) => [id, Buffer.from(body).toString('hex')]),
      );
      expect(ends).toEqual([]);
    }),
    { numRuns: 100 },
  );
});

test('messages of one turn leave in one write and are read back', async () => {
  const { channel, written } = openTestChannel();
  channel.send({ id: 1, body: Buffer.from('a') });
  channel.send({ id: 2, body: Buffer.from('b') });
  await turn();
  await turn();
  expect(written).toHaveLength(1);
  expect(written[0]).toEqual(
    Buffer.concat([frame({ id: 1, body: Buffer.from('a') }), frame({ id: 2, body: Buffer.from('b') })]),
  );
});

test('a large frame takes time in proportion to its size', async () => {
  const got: Message[] = [];
  const { receive } = openTestChannel((message) => got.push(message));
  const bytes = frame({ id: 1, body: Buffer.alloc(32 * 1024 * 1024, 7) });
  const start = performance.now();
  for (let at = 0; at < bytes.length; at += 16 * 1024) receive(bytes.subarray(at, at + 16 * 1024));
  await turn();
  expect(got[0]?.body.length).toBe(32 * 1024 * 1024);
  // Joining again at every chunk would copy 32 GB.
  expect(performance.now() - start).toBeLessThan(4000);
});

test.each([
  ['a frame above the limit, before its body is taken in', Buffer.from('04000001', 'hex'), /larger than/],
  ['bytes that are no CBOR', Buffer.from('00000001ff', 'hex'), /unexpected/],
  ['a frame with two items', Buffer.from('0000000200f6', 'hex'), /expected one CBOR item/],
  ['an empty frame', Buffer.from('00000000', 'hex'), /ends in the middle/],
])('%s ends the channel once, with an error', async (_, bytes, message) => {
  const { receive, ends, stream } = openTestChannel();
  receive(bytes);
  await turn();
  await turn();
  expect(ends).toHaveLength(1);
  expect(ends[0]?.message).toMatch(message);
  expect(stream.destroyed).toBe(true);
});

test('nothing is delivered or sent once the channel has ended', async () => {
  const got: number[] = [];
  const { channel, receive, written, ends } = openTestChannel(({ id }) => {
    got.push(id);
    channel.close();
  });
  receive(Buffer.concat([frame({ id: 1, body: Buffer.alloc(0) }), frame({ id: 2, body: Buffer.alloc(0) })]));
  await turn();
  channel.send({ id: 3, body: Buffer.alloc(0) });
  await turn();
  await turn();
  expect(got).toEqual([1]);
  expect(written).toEqual([]);
  expect(ends).toEqual([undefined]);
});
