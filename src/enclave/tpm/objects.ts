/** Keys and sealed data of a TPM 2.0: made, loaded, opened (Library, Part 3 §12, §24). */
import { createPublicKey, type KeyObject, randomBytes } from 'node:crypto';
import { sha256 } from '../ledger/hash.ts';
import { type Entity, flush, owner, type Tpm } from './client.ts';
import { algorithms, commands, curveP256, handles, objectAttributes } from './constants.ts';
import { kdfa, makeSalt, nonceSize, passwordSession, type Session } from './session.ts';
import { createReader, sized, u8, u16, u32 } from './wire.ts';

const { aes, cfb, ecc, ecdsa, keyedHash, none } = algorithms;
const nameAlgorithm = algorithms.sha256;
const { fixedTpm, fixedParent, sensitiveDataOrigin, userWithAuth, noDa, restricted, decrypt, sign } = objectAttributes;
const empty = Buffer.alloc(0);

/** A key or data in the TPM, until it is flushed. `publicArea`: TPMT_PUBLIC. */
export type LoadedObject = Entity & { readonly publicArea: Buffer };

/** What `create` gives to keep outside: both parts are for this TPM only, the private one encrypted. */
export type CreatedObject = { readonly privateArea: Buffer; readonly publicArea: Buffer };

const template = (type: number, attributes: number, policy: Uint8Array, parameters: readonly Buffer[]): Buffer =>
  Buffer.concat([u16(type), u16(nameAlgorithm), u32(attributes), sized(policy), ...parameters]);

const point = [sized(empty), sized(empty)];

/** A P-256 key below which others are kept: the template of the TCG's storage root key. */
export const storageKeyTemplate = template(
  ecc,
  fixedTpm | fixedParent | sensitiveDataOrigin | userWithAuth | noDa | restricted | decrypt,
  empty,
  [u16(aes), u16(128), u16(cfb), u16(none), u16(curveP256), u16(none), ...point],
);

/** A P-256 key that signs what the TPM itself says, and nothing else. */
export const attestationKeyTemplate = template(
  ecc,
  fixedTpm | fixedParent | sensitiveDataOrigin | userWithAuth | noDa | restricted | sign,
  empty,
  [u16(none), u16(ecdsa), u16(algorithms.sha256), u16(curveP256), u16(none), ...point],
);

/** Up to 128 bytes that are given out only while `policy` (32 bytes) is fulfilled. */
export const sealedDataTemplate = (policy: Uint8Array): Buffer =>
  template(keyedHash, fixedTpm | fixedParent | noDa, policy, [u16(none), sized(empty)]);

/** The same key at each call with the same template, as long as the hierarchy's seed is. */
export async function createPrimary(
  tpm: Tpm,
  publicTemplate: Buffer,
  hierarchy: Entity = owner,
): Promise<LoadedObject> {
  const sensitive = sized(Buffer.concat([sized(empty), sized(empty)]));
  const { handle, parameters } = await tpm.execute({
    code: commands.createPrimary,
    entities: [hierarchy],
    sessions: [passwordSession],
    parameters: [sensitive, sized(publicTemplate), sized(empty), u32(0)],
    returnsHandle: true,
  });
  return loaded(handle, parameters.sized());
}

/** Makes an object below `parent` that holds `data`, which goes to the TPM encrypted by `session`. */
export async function createSealed(
  tpm: Tpm,
  parent: Entity,
  data: Uint8Array,
  policy: Uint8Array,
  session: Session,
): Promise<CreatedObject> {
  const { parameters } = await tpm.execute({
    code: commands.create,
    entities: [parent],
    sessions: [session],
    parameters: [
      sized(Buffer.concat([sized(empty), sized(data)])),
      sized(sealedDataTemplate(policy)),
      sized(empty),
      u32(0),
    ],
    hides: 'command',
  });
  return { privateArea: Buffer.from(parameters.sized()), publicArea: Buffer.from(parameters.sized()) };
}

export async function load(
  tpm: Tpm,
  parent: Entity,
  { privateArea, publicArea }: CreatedObject,
  session: Session = passwordSession,
): Promise<LoadedObject> {
  const { handle } = await tpm.execute({
    code: commands.load,
    entities: [parent],
    sessions: [session],
    parameters: [sized(privateArea), sized(publicArea)],
    returnsHandle: true,
  });
  return loaded(handle, publicArea);
}

/** The data of a sealed object; `session` is one whose policy is fulfilled, salted so that the data crosses encrypted. */
export async function unseal(tpm: Tpm, item: Entity, session: Session): Promise<Buffer> {
  const { parameters } = await tpm.execute({
    code: commands.unseal,
    entities: [item],
    sessions: [session],
    hides: 'response',
  });
  return Buffer.from(parameters.sized());
}

const loaded = (handle: number, publicArea: Buffer): LoadedObject => ({
  handle,
  name: Buffer.concat([u16(nameAlgorithm), sha256(publicArea)]),
  publicArea: Buffer.from(publicArea),
});

/** `x ‖ y` of a P-256 key's public area, 64 bytes. */
export function pointOf(publicArea: Buffer): Buffer {
  const reader = createReader(publicArea);
  if (reader.u16() !== ecc) throw new TypeError('expected a key on a curve');
  reader.take(2 + 4);
  reader.sized();
  if (reader.u16() !== none) reader.take(2 + 2);
  if (reader.u16() !== none) reader.take(2);
  if (reader.u16() !== curveP256) throw new TypeError('expected a key on P-256');
  if (reader.u16() !== none) reader.take(2);
  return Buffer.concat([coordinate(reader.sized()), coordinate(reader.sized())]);
}

const coordinate = (bytes: Buffer): Buffer => Buffer.concat([Buffer.alloc(32 - bytes.length), bytes]);

/** The same as a key for node:crypto. */
export function publicKeyOf(publicArea: Buffer): KeyObject {
  const xy = pointOf(publicArea);
  const [x, y] = [xy.subarray(0, 32), xy.subarray(32)].map((half) => half.toString('base64url')) as [string, string];
  return createPublicKey({ key: { kty: 'EC', crv: 'P-256', x, y }, format: 'jwk' });
}

/**
 * Starts a session salted to a P-256 storage key: what it authorizes and hides is safe from whoever reads the way to the
 * TPM, and from whoever stands on it, if the key is known to be the TPM's. Flush it when it is done with.
 */
export async function startSession(tpm: Tpm, saltKey: LoadedObject, kind: 'hmac' | 'policy'): Promise<Session> {
  const nonceCaller = randomBytes(nonceSize);
  const { salt, encrypted } = makeSalt(pointOf(saltKey.publicArea));
  const types = { hmac: 0, policy: 1 };
  const { handle, parameters } = await tpm.execute({
    code: commands.startAuthSession,
    entities: [saltKey, { handle: handles.none, name: empty }],
    parameters: [
      sized(nonceCaller),
      sized(encrypted),
      u8(types[kind]),
      Buffer.concat([u16(aes), u16(128), u16(cfb)]),
      u16(algorithms.sha256),
    ],
    returnsHandle: true,
  });
  const nonceTpm = Buffer.from(parameters.sized());
  return { handle, key: kdfa(salt, 'ATH', nonceTpm, nonceCaller, 256), isPolicy: kind === 'policy', nonceTpm };
}

/** Runs `use` with an object in the TPM, and flushes it afterwards. */
export async function withObject<T>(
  tpm: Tpm,
  object: Promise<LoadedObject>,
  use: (object: LoadedObject) => Promise<T>,
): Promise<T> {
  const there = await object;
  try {
    return await use(there);
  } finally {
    await flush(tpm, there.handle);
  }
}
