/**
 * Carries checkpoints to witnesses (C2SP tlog-witness), for the enclave has no network. What they answer is for the enclave to
 * verify; here are the way and the consistency proofs, out of the database.
 */

import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { AddCheckpoint } from '../protocol/messages.ts';

export type WitnessAnswer = { readonly status: number; readonly body: string };

/** Proof that the log's first `old` leaves are the first of its first `size`; undefined where the database lacks hashes. */
export type ConsistencyProof = (old: number, size: number) => Promise<readonly Uint8Array[] | undefined>;

const patience = 5_000;
const largestAnswer = 16 * 1024;

/** A function that submits a checkpoint. Never rejects: without an answer `status` is 0 and `body` says why. */
export function createWitnessCarrier(
  proofOf: ConsistencyProof,
): (submission: Omit<AddCheckpoint, 'type' | 'id'>) => Promise<WitnessAnswer> {
  const agents = { 'http:': new HttpAgent({ keepAlive: true }), 'https:': new HttpsAgent({ keepAlive: true }) };

  return async ({ url, old, size, checkpoint }) => {
    try {
      // Where the witness is ahead, or only asked for its size, it does not look at the proof.
      const proof = old > 0 && old < size ? await proofOf(old, size) : [];
      if (!proof) return unanswered('the database lacks hashes of the log for the proof');
      const lines = [`old ${old}`, ...proof.map((hash) => Buffer.from(hash).toString('base64'))];
      return await post(new URL(`${url.replace(/\/+$/, '')}/add-checkpoint`), `${lines.join('\n')}\n\n${checkpoint}`);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      return unanswered(code && !message.includes(code) ? `${message} (${code})` : message);
    }
  };

  async function post(url: URL, body: string): Promise<WitnessAnswer> {
    const isPlain = url.protocol === 'http:';
    const request = (isPlain ? httpRequest : httpsRequest)(url, {
      method: 'POST',
      agent: agents[isPlain ? 'http:' : 'https:'],
      headers: { 'content-type': 'text/plain; charset=utf-8', 'content-length': Buffer.byteLength(body) },
      signal: AbortSignal.timeout(patience),
    });
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      request.on('response', resolve).on('error', reject);
      request.end(body);
    });
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      size += chunk.length;
      // Leaving the loop closes the connection.
      if (size > largestAnswer) return unanswered('the answer is too large');
      chunks.push(chunk);
    }
    return { status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() };
  }
}

const unanswered = (reason: string): WitnessAnswer => ({ status: 0, body: reason.slice(0, 300) });
