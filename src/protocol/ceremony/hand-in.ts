/** What holders and enclave say to one another: the enclave's report of the ceremony, and a share on its way to it. */
import * as v from 'valibot';
import type { Envelope } from './hpke.ts';
import { largestHandIn } from './largest-hand-in.ts';
import { contexts, holderId, holderName } from './manifest.ts';

/** Bytes in JSON are lower-case hex, long ones base64url. */
const hash = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, 'expected 64 hex digits'));

const base64url = v.pipe(v.string(), v.maxLength(16_384), v.regex(/^[A-Za-z0-9_-]+$/, 'expected base64url'));

const handInSchema = v.strictObject({
  version: v.literal(1),
  holder: hash,
  /** The start of the enclave that the share is for, and the manifest that it belongs to. */
  boot: hash,
  manifest: hash,
  /** The new set of holders that the share agrees to; null: the share is for the start alone. */
  proposal: v.nullable(hash),
  envelope: v.pipe(base64url, v.maxLength(400)),
});

export type HandIn = v.InferOutput<typeof handInSchema>;

/** The hand-in in a request's body; undefined for anything else. */
export function readHandIn(body: Uint8Array): HandIn | undefined {
  if (body.length > largestHandIn) return undefined;
  try {
    const parsed = v.safeParse(handInSchema, JSON.parse(Buffer.from(body).toString()));
    return parsed.success ? parsed.output : undefined;
  } catch {
    return undefined;
  }
}

const reportSchema = v.object({
  /** `waiting`: for shares; `open`: the root key is there. */
  phase: v.picklist(['waiting', 'open']),
  boot: hash,
  manifest: base64url,
  manifestHash: hash,
  /** In the manifest's order; `envelope` is the share, sealed to its holder. */
  holders: v.array(v.object({ name: holderName, envelope: base64url, handedIn: v.boolean() })),
  /** A new set of holders that waits for the agreement of the present ones. */
  proposal: v.nullable(v.object({ encoded: base64url, hash, agreed: v.array(holderName) })),
});

/** Body of the answer to `GET /ceremony`. */
export type CeremonyReport = v.InferOutput<typeof reportSchema>;

/** The report in an answer, nothing of it checked but its form; undefined for anything else. */
export function readReport(answer: unknown): CeremonyReport | undefined {
  const parsed = v.safeParse(reportSchema, answer);
  return parsed.success ? parsed.output : undefined;
}

/** A share for its holder, as it is kept. */
export const provision = (manifest: Uint8Array, publicKey: Uint8Array): Envelope => ({
  info: Buffer.concat([Buffer.from(contexts.provision), manifest]),
  aad: holderId(publicKey),
});

/** A share for one start of the enclave; with `proposal`, the holder's word for those new holders. All are hashes. */
export const handIn = ({ holder, boot, manifest, proposal }: Omit<HandIn, 'version' | 'envelope'>): Envelope => ({
  info: Buffer.concat([
    Buffer.from(proposal ? contexts.reshare : contexts.handIn),
    Buffer.from(manifest, 'hex'),
    Buffer.from(proposal ?? '', 'hex'),
  ]),
  aad: Buffer.from(holder + boot, 'hex'),
});
