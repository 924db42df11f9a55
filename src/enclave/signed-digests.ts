/** Digests of what an activity signed and of the signatures, as receipts tell them. */
import { sha256 } from './ledger/hash.ts';

export type SignedDigests = { readonly payload: Uint8Array; readonly signature: Uint8Array };

type Signature = { readonly r: string; readonly s: string; readonly v: string };

const digests = (payload: string, signature: string): SignedDigests => ({
  payload: sha256(Buffer.from(payload)),
  signature: sha256(Buffer.from(signature.replace(/^0x/, ''), 'hex')),
});
const ofRaw = (payload: string, { r, s, v }: Signature): SignedDigests => digests(payload, `${r}${s}${v}`);
const ofOperation = (_: unknown, result: { userOpHash: string; signature: string }): SignedDigests[] => [
  digests(result.userOpHash, result.signature),
];

// Parameters and results have the shapes of their activities' schemas by the time they come here.
// biome-ignore lint/suspicious/noExplicitAny: each reads the shapes of one activity
const readers: Readonly<Record<string, (parameters: any, result: any) => SignedDigests[]>> = {
  sign_raw_payload: ({ payload }: { payload: string }, result: Signature) => [ofRaw(payload, result)],
  sign_raw_payloads: ({ payloads }: { payloads: string[] }, { signatures }: { signatures: Signature[] }) =>
    payloads.map((payload, index) => ofRaw(payload, signatures[index] as Signature)),
  sign_transaction: (
    { unsignedTransaction }: { unsignedTransaction: string },
    { signedTransaction }: { signedTransaction: string },
  ) => [digests(unsignedTransaction, signedTransaction)],
  sign_user_operation: ofOperation,
  sign_user_operation_intent: ofOperation,
};

/** In the order of the payloads; nothing where the activity of this name signs nothing. */
export const signedDigests = (name: string, parameters: unknown, result: unknown): readonly SignedDigests[] =>
  readers[name]?.(parameters, result) ?? [];
