import type { IncomingMessage, ServerResponse } from 'node:http';
import { invalidArgument } from '../../protocol/errors.ts';

/** Largest body that is accepted, in bytes. */
export const maxBody = 1024 * 1024;
/** A larger body is read on to here and thrown away, so that its sender gets to read the answer. */
const maxDiscarded = 16 * maxBody;

const tooLarge = () => invalidArgument(`expected a body of at most ${maxBody} bytes`, { status: 413 });

/** The exact bytes of a request's body. Throws 413 for more than `maxBody`, 415 for a content coding. */
export function readBody(request: IncomingMessage, response: ServerResponse): Promise<Buffer> {
  const coding = request.headers['content-encoding'];
  if (coding !== undefined && coding.toLowerCase() !== 'identity') {
    return Promise.reject(invalidArgument('expected a body without content coding', { status: 415 }));
  }
  const refuseRest = () => {
    // What is not read would be taken for the next request.
    response.setHeader('Connection', 'close');
    return tooLarge();
  };
  const announced = Number(request.headers['content-length'] ?? 0);
  // Who asks before sending does not send this.
  const isUnsent = announced > maxBody && request.headers.expect !== undefined;
  if (isUnsent || announced > maxDiscarded) return Promise.reject(refuseRest());
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxBody) chunks.push(chunk);
      else if (size <= maxDiscarded) chunks.length = 0;
      // More may come in after the answer went out.
      else if (!response.headersSent) reject(refuseRest());
    });
    request.on('end', () => {
      if (size > maxBody) reject(tooLarge());
      else resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, size));
    });
    const refuseCutOff = () => reject(invalidArgument('the body ended early'));
    request.on('close', () => {
      if (!request.complete) refuseCutOff();
    });
    request.on('error', refuseCutOff);
  });
}
