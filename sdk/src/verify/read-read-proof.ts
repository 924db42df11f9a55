/** The parts of the proof of a read, and their shapes; nothing of it is verified here. */
import type { ReadClaims, ReadProof } from '../../../src/protocol/read-proof.ts';
import { bytesAt, listAt, numberAt, ReceiptError, readMap, textAt, version } from './read-receipt.ts';

/** Throws a `ReceiptError`. */
export function readReadProof(bytes: Uint8Array): ReadProof {
  const fields = readMap(bytes, 'proof');
  version(fields);
  const path = listAt(fields, 'path').map((hash) => {
    if (hash instanceof Uint8Array && hash.length === 32) return hash;
    throw new ReceiptError('path: expected hashes of 32 bytes');
  });
  return {
    v: 1,
    cose: bytesAt(fields, 'cose'),
    bucket: bytesAt(fields, 'bucket'),
    path,
    checkpoint: textAt(fields, 'checkpoint'),
    statement: bytesAt(fields, 'statement'),
  };
}

/** Throws a `ReceiptError`. */
export function readReadClaims(bytes: Uint8Array): ReadClaims {
  const fields = readMap(bytes, 'claims');
  version(fields);
  return {
    v: 1,
    query: textAt(fields, 'query'),
    request: bytesAt(fields, 'request', 32),
    answer: bytesAt(fields, 'answer', 32),
    organization: bytesAt(fields, 'organization', 16),
    head: bytesAt(fields, 'head', 32),
    map: bytesAt(fields, 'map', 32),
    time: numberAt(fields, 'time'),
  };
}
