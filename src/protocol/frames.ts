/** Frames on the socket between `api` and `enclave`: 4 bytes of length, big-endian, then one CBOR item. */
import type { Duplex } from 'node:stream';
import { type Cbor, decode, encode } from './cbor.ts';

/** Largest frame either side accepts, in bytes; a page of look-ups or heads stays far below it. */
const maxFrame = 64 * 1024 * 1024;

export type Channel<Out> = { send(message: Out): void; close(): void };

/**
 * Speaks frames over `stream`. Messages sent in one turn of the event loop leave in one write. `onMessage` gets each
 * decoded message; `onEnd` is called once, with an error when the other side broke the framing.
 */
export function openChannel<Out, In>(
  stream: Duplex,
  onMessage: (message: In) => void,
  onEnd: (error?: Error) => void,
): Channel<Out> {
  let received: Buffer = Buffer.alloc(0);
  let ended = false;
  const end = (error?: Error) => {
    if (ended) return;
    ended = true;
    stream.destroy();
    onEnd(error);
  };
  stream.on('data', (chunk: Buffer) => {
    received = received.length ? Buffer.concat([received, chunk]) : chunk;
    try {
      received = takeFrames(received, (frame) => onMessage(decode(frame) as In));
    } catch (error) {
      end(error as Error);
    }
  });
  stream.on('error', end);
  stream.on('close', () => end());

  let waiting: Buffer[] = [];
  const flush = () => {
    const frames = waiting;
    waiting = [];
    if (!ended) stream.write(frames.length === 1 ? (frames[0] as Buffer) : Buffer.concat(frames));
  };
  return {
    send(message) {
      const body = encode(message as Cbor);
      const length = Buffer.allocUnsafe(4);
      length.writeUInt32BE(body.length);
      if (waiting.push(length, body) === 2) setImmediate(flush);
    },
    close: () => end(),
  };
}

/** Calls `onFrame` for each whole frame at the start of `bytes` and returns what is left. */
function takeFrames(bytes: Buffer, onFrame: (frame: Buffer) => void): Buffer {
  let at = 0;
  while (bytes.length - at >= 4) {
    const length = bytes.readUInt32BE(at);
    if (length > maxFrame) throw new Error(`frame of ${length} bytes is larger than ${maxFrame}`);
    if (bytes.length - at - 4 < length) break;
    onFrame(bytes.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return at === 0 ? bytes : bytes.subarray(at);
}
