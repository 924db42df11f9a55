/** The two processes' wire: 4 bytes of length, then a CBOR map; what is sent in one turn leaves in one write. */
import type { Duplex } from 'node:stream';
import { Decoder } from 'cbor-x/decode';
import { Encoder } from 'cbor-x/encode';

export type SignRequest = { id: number; body: Uint8Array; stamp: string };
/** `signature` is r ‖ s ‖ recovery id; absent when the request was refused. */
export type SignAnswer = { id: number; organizationId?: string; signature?: Uint8Array };

const options = { useRecords: false, tagUint8Array: false };
const encoder = new Encoder(options);
const decoder = new Decoder(options);

/** Speaks frames over `stream`; returns the function that sends one. */
export function openWire<Out, In>(stream: Duplex, onMessage: (message: In) => void): (message: Out) => void {
  let received: Buffer = Buffer.alloc(0);
  stream.on('data', (chunk: Buffer) => {
    received = received.length ? Buffer.concat([received, chunk]) : chunk;
    let at = 0;
    while (received.length - at >= 4) {
      const end = at + 4 + received.readUInt32BE(at);
      if (end > received.length) break;
      onMessage(decoder.decode(received.subarray(at + 4, end)) as In);
      at = end;
    }
    received = received.subarray(at);
  });

  let waiting: Buffer[] = [];
  const flush = () => {
    stream.write(Buffer.concat(waiting));
    waiting = [];
  };
  return (message) => {
    const body = Buffer.from(encoder.encode(message));
    const length = Buffer.allocUnsafe(4);
    length.writeUInt32BE(body.length);
    if (waiting.push(length, body) === 2) setImmediate(flush);
  };
}
