/**
 * secp256k1 by libsecp256k1, whose native binding leaves no copy of a scalar behind; where the package has no prebuilt
 * binary (Linux on ARM) by @noble/curves, with BigInts. The package's own index would fall back to `elliptic` without a
 * word, so the binding is loaded by its path.
 */
import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import { secp256k1 as noble } from '@noble/curves/secp256k1.js';
import type { Ecdsa } from './ecdsa.ts';

type Binding = typeof import('secp256k1');

const binding = loadBinding();

export const secp256k1: Ecdsa = binding ? native(binding) : portable();

/** Whether private keys stay in Buffers; without the native binding they are copied into BigInts. */
export const secp256k1IsNative = binding !== undefined;

function loadBinding(): Binding | undefined {
  try {
    return createRequire(import.meta.url)('secp256k1/bindings.js') as Binding;
  } catch {
    return undefined;
  }
}

function native(binding: Binding): Ecdsa {
  // Blinds multiplications by secrets, as libsecp256k1 advises for a context that lives long.
  binding.contextRandomize(randomBytes(32));
  return {
    isValidSecret: (secret) => secret.length === 32 && binding.privateKeyVerify(secret),
    publicKey: (secret) => binding.publicKeyCreate(secret, true),
    add: (secret, tweak) => succeeds(() => binding.privateKeyTweakAdd(secret, tweak)),
    sign: (digest, secret) => {
      const { signature, recid } = binding.ecdsaSign(digest, secret);
      return { signature, recoveryId: recid };
    },
  };
}

/** The same by @noble/curves; exported for tests, where it is the reference. */
export function portable(): Ecdsa {
  const { Fn } = noble.Point;
  return {
    isValidSecret: (secret) => noble.utils.isValidSecretKey(secret),
    publicKey: (secret) => noble.getPublicKey(secret, true),
    add: (secret, tweak) =>
      succeeds(() => {
        const sum = Fn.toBytes(Fn.add(Fn.fromBytes(secret), Fn.fromBytes(tweak)));
        secret.set(sum);
        sum.fill(0);
      }) && noble.utils.isValidSecretKey(secret),
    sign: (digest, secret) => {
      const recovered = noble.sign(digest, secret, { prehash: false, lowS: true, format: 'recovered' });
      return { signature: recovered.subarray(1), recoveryId: recovered[0] as number };
    },
  };
}

function succeeds(operation: () => unknown): boolean {
  try {
    operation();
    return true;
  } catch {
    return false;
  }
}
