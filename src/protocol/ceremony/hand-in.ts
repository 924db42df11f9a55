/** What holders and enclave say to one another: the enclave's report of the ceremony, and a share on its way to it. */
import * as v from 'valibot';
import type { Envelope } from './hpke.ts';
import { contexts, holderId } from './manifest.ts';

/** Bytes in JSON are lower-case hex, long ones base64url. */
const hash = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, 'expected 64 hex digits'));

const handInSchema = v.strictObject({
  version: v.literal(1),
  holder: hash,
  /** The start of the enclave that the share is for, and the manifest that it belongs to. */
  boot: hash,
  manifest: hash,
  /** The new set of holders that the share agrees to; null: the share is for the start alone. */
  proposal: v.nullable(hash),
  envelope: v.pipe(v.string(), v.maxLength(400), v.regex(/^[A-Za-z0-9_-]+$/, 'expected base64url')),
});

export type HandIn = v.InferOutput<typeof handInSchema>;

/** The hand-in in a request's body; undefined for anything else. */
export function readHandIn(body: Uint8Array): HandIn | undefined {
  try {
    const parsed = v.safeParse(handInSchema, JSON.parse(Buffer.from(body).toString()));
    return parsed.success ? parsed.output : undefined;
  } catch {
    return undefined;
  }
}

/** Body of the answer to `GET /ceremony`. */
export type CeremonyReport = {
  /** `waiting`: for shares; `open`: the root key is there. */
  readonly phase: 'waiting' | 'open';
  readonly boot: string;
  readonly manifest: string;
  readonly manifestHash: string;
  /** In the manifest's order; `envelope` is the share, sealed to its holder. */
  readonly holders: readonly { readonly name: string; readonly envelope: string; readonly handedIn: boolean }[];
  /** A new set of holders that waits for the agreement of the present ones. */
  readonly proposal: { readonly encoded: string; readonly hash: string; readonly agreed: readonly string[] } | null;
};

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
