/** Frames on the socket between `api` and `enclave`: 4 bytes of length, big-endian, then one CBOR item. */
import type { Duplex } from 'node:stream';
import { type Cbor, decode, encode } from './cbor.ts';

/** Largest frame either side accepts, in bytes; a page of look-ups or heads stays far below it. */
const maxFrame = 64 * 1024 * 1024;
const headerSize = 4;

export type Channel<Out> = { send(message: Out): void; close(): void };

/**
 * Speaks frames over `stream`. Messages sent in one turn of the event loop leave in one write. `onMessage` gets each
 * decoded message; `onEnd` is called once, with an error when the other side broke the framing. `decodeMessage` is the
 * strict decoder unless the other side is trusted.
 */
export function openChannel<Out, In>(
  stream: Duplex,
  onMessage: (message: In) => void,
  onEnd: (error?: Error) => void,
  decodeMessage: (frame: Buffer) => unknown = decode,
): Channel<Out> {
  let chunks: Buffer[] = [];
  let missing = headerSize;
  let ended = false;
  const end = (error?: Error) => {
    if (ended) return;
    ended = true;
    stream.destroy();
    onEnd(error);
  };
  stream.on('data', (chunk: Buffer) => {
    if (ended) return;
    chunks.push(chunk);
    missing -= chunk.length;
    // A large frame comes in many chunks, which are joined once.
    if (missing > 0) return;
    try {
      const received = chunks.length === 1 ? chunk : Buffer.concat(chunks);
      const rest = takeFrames(received, (frame) => {
        if (!ended) onMessage(decodeMessage(frame) as In);
      });
      chunks = rest.length > 0 ? [rest] : [];
      missing = frameSize(rest) - rest.length;
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
      // The other side would take it for broken framing and end.
      if (body.length > maxFrame) throw new RangeError(`a message of ${body.length} bytes does not fit a frame`);
      const length = Buffer.allocUnsafe(headerSize);
      length.writeUInt32BE(body.length);
      if (waiting.push(length, body) === 2) setImmediate(flush);
    },
    close: () => end(),
  };
}

/** Calls `onFrame` for each whole frame at the start of `bytes` and returns what is left. */
function takeFrames(bytes: Buffer, onFrame: (frame: Buffer) => void): Buffer {
  let rest = bytes;
  for (let size = frameSize(rest); size <= rest.length; size = frameSize(rest)) {
    onFrame(rest.subarray(headerSize, size));
    rest = rest.subarray(size);
  }
  return rest;
}

/** Bytes of the frame that `bytes` starts with, or of its header while that is not whole. */
function frameSize(bytes: Buffer): number {
  if (bytes.length < headerSize) return headerSize;
  const length = bytes.readUInt32BE();
  if (length > maxFrame) throw new Error(`frame of ${length} bytes is larger than ${maxFrame}`);
  return headerSize + length;
}
