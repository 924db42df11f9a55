import { hash } from 'node:crypto';

/** Hash of an interior node of the log from those of its children, 32 bytes each (RFC 6962 §2.1). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  const node = Buffer.allocUnsafe(65);
  node[0] = 1;
  node.set(left, 1);
  node.set(right, 33);
  return Buffer.from(hash('sha256', node, 'binary'), 'latin1');
}

/** Hash of the leaf that an entry of the log is (RFC 6962 §2.1). */
export function leafHash(entry: Uint8Array): Buffer {
  const leaf = Buffer.allocUnsafe(1 + entry.length);
  leaf[0] = 0;
  leaf.set(entry, 1);
  return Buffer.from(hash('sha256', leaf, 'binary'), 'latin1');
}
