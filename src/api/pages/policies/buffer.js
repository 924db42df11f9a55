/**
 * What the policy modules use of Node's `Buffer`: they are the enclave's own, which runs on Node. To be imported before them.
 */
import { bytesToHex, concatBytes, hexToBytes } from '@noble/hashes/utils.js';

globalThis.Buffer ??= { from, concat: (chunks) => concatBytes(...chunks), compare };

function from(source, encoding, length) {
  if (source instanceof ArrayBuffer) return readable(new Uint8Array(source, encoding, length));
  if (typeof source !== 'string') return readable(Uint8Array.from(source));
  if (encoding === 'hex') return readable(hexToBytes(source));
  if (encoding === 'latin1') return readable(Uint8Array.from(source, (character) => character.charCodeAt(0)));
  return readable(new TextEncoder().encode(source));
}

const readable = (bytes) =>
  Object.defineProperty(bytes, 'toString', {
    value: (encoding) => (encoding === 'hex' ? bytesToHex(bytes) : new TextDecoder().decode(bytes)),
  });

function compare(a, b) {
  const at = a.findIndex((byte, index) => byte !== b[index]);
  return Math.sign(at < 0 ? a.length - b.length : a[at] - (b[at] ?? -1));
}
