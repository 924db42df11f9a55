/**
 * Hierarchical keys: BIP-32 for secp256k1, SLIP-0010 for Ed25519 and P-256. A node is 64 bytes, secret‖chain code; whatever
 * is derived on the way is zeroed.
 */
import { createHmac } from 'node:crypto';
import type { Curve } from '../../decode/curve.ts';
import { invalidArgument } from '../../protocol/errors.ts';
import { ecdsaCurves, isValidSecret, publicKeyOf } from './curve.ts';
import { hardened, invalidPath, parsePath } from './path.ts';

export { entropyOf, mnemonicOf, newEntropy, seedOf } from './mnemonic.ts';
export { parsePath } from './path.ts';

const masterKeys: Record<Curve, string> = {
  CURVE_SECP256K1: 'Bitcoin seed',
  CURVE_P256: 'Nist256p1 seed',
  CURVE_ED25519: 'ed25519 seed',
};

/**
 * The private key of `curve` at `path` under `seed`. Ed25519 has hardened parts only. Throws INVALID_ARGUMENT `invalid path
 * format`. The caller zeroes what it gets.
 */
export function deriveSecret(seed: Buffer, curve: Curve, path: string): Buffer {
  const indices = parsePath(path);
  if (curve === 'CURVE_ED25519' && indices.some((index) => index < hardened)) {
    throw invalidPath("Ed25519 paths are hardened throughout, as in `m/44'/501'/0'/0'`");
  }
  let node = masterNode(seed, curve);
  for (const index of indices) node = childNode(node, curve, index);
  node.fill(0, 32);
  return secretOf(node);
}

function masterNode(seed: Buffer, curve: Curve): Buffer {
  let node = hmac(masterKeys[curve], seed);
  while (!isValidSecret(curve, secretOf(node))) {
    // SLIP-0010 hashes again; BIP-32 calls such a seed invalid. There is one in 2^127 on secp256k1, one in 2^32 on P-256.
    if (curve === 'CURVE_SECP256K1') throw invalidArgument('invalid seed');
    node = hmac(masterKeys[curve], node);
  }
  return node;
}

/** The child `index` of `parent`, which is zeroed. */
function childNode(parent: Buffer, curve: Curve, index: number): Buffer {
  const secret = secretOf(parent);
  const chainCode = parent.subarray(32);
  const data = Buffer.alloc(37);
  if (index >= hardened) data.set(secret, 1);
  else data.write(publicKeyOf(curve, secret), 'hex');
  data.writeUInt32BE(index, 33);
  try {
    for (;;) {
      const child = hmac(chainCode, data);
      if (curve === 'CURVE_ED25519' || ecdsaCurves[curve].add(secretOf(child), secret)) return child;
      if (curve === 'CURVE_SECP256K1') throw invalidPath('there is no key at this path: take another index');
      data[0] = 1;
      child.copy(data, 1, 32);
    }
  } finally {
    parent.fill(0);
    data.fill(0);
  }
}

const secretOf = (node: Buffer): Buffer => node.subarray(0, 32);

const hmac = (key: string | Buffer, data: Buffer): Buffer => createHmac('sha512', key).update(data).digest();
