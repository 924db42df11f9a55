/** What signing one payload and several have in common. */
import { bytesToSign, type Payload } from '../../decode/payload.ts';
import type { EffectContext } from '../effect.ts';
import { type Signature, signBytes } from '../keys/curve.ts';
import { unimplemented } from './refusals.ts';
import { findSigner, type Signer } from './signers.ts';

type Form = { readonly signWith: string } & Pick<Payload, 'encoding' | 'hashFunction'>;

/**
 * Signs payloads in one opening of the key, all or none. `decode` wraps the decoding of each, where errors about the
 * payload come from.
 */
export async function signPayloads(
  { organization, withKey }: EffectContext,
  { signWith, encoding, hashFunction }: Form,
  payloads: readonly string[],
  decode: (index: number, run: () => Buffer) => Buffer = (_, run) => run(),
): Promise<Signature[]> {
  const signer = findSigner(organization, signWith);
  checkScheme(signer);
  const { id, curve, publicKey } = signer;
  const messages = payloads.map((payload, index) =>
    decode(index, () => bytesToSign({ payload, encoding, hashFunction, curve })),
  );
  return withKey(id, publicKey, (secret) => messages.map((message) => signBytes(curve, secret, message)));
}

/** What is signed with a Taproot address has to be a Schnorr signature by the tweaked key (BIP-340, BIP-341). */
function checkScheme({ addressFormat }: Signer): void {
  if (addressFormat?.endsWith('_P2TR')) {
    throw unimplemented('parameters.signWith', 'signing with a Taproot address is not supported yet');
  }
}
