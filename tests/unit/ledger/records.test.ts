/** The formats of their own: heads, batch records and checkpoints. */
import { createHmac, createPublicKey, randomBytes, verify } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { openBatch, sealBatch } from '../../../src/enclave/ledger/batch-record.ts';
import { createCheckpointSigner } from '../../../src/enclave/ledger/checkpoint.ts';
import { sha256 } from '../../../src/enclave/ledger/hash.ts';
import { decodeHead, encodeHead, type Head } from '../../../src/enclave/ledger/head.ts';
import { createSealer, deriveKey } from '../../../src/enclave/sealing/seal.ts';
import { decode, encode } from '../../../src/protocol/cbor.ts';

const rootKey = randomBytes(32);

describe('heads', () => {
  const tagKey = deriveKey(rootKey, 'headTag');
  const head: Head = {
    organization: randomBytes(16),
    parent: randomBytes(16),
    sequence: 7,
    pages: randomBytes(32),
    counters: randomBytes(32),
    fingerprints: [[29_000_000, randomBytes(32), 3]],
    deleted: false,
  };

  test('come back as they were', () => {
    expect(decodeHead(head.organization, encodeHead(head, tagKey), tagKey)).toEqual(head);
    const parent = { ...head, parent: null, fingerprints: [], deleted: true };
    expect(decodeHead(head.organization, encodeHead(parent, tagKey), tagKey)).toEqual(parent);
  });

  test('with any byte changed, cut or added are refused', () => {
    const bytes = encodeHead(head, tagKey);
    for (let at = 0; at < bytes.length; at++) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] as number) ^ 1;
      expect(() => decodeHead(head.organization, changed, tagKey)).toThrow('was not made by this enclave');
    }
    for (const size of [0, 1, 15, 16, bytes.length - 1]) {
      expect(() => decodeHead(head.organization, bytes.subarray(0, size), tagKey)).toThrow(
        'was not made by this enclave',
      );
    }
    expect(() => decodeHead(head.organization, Buffer.concat([bytes, Buffer.of(0)]), tagKey)).toThrow();
  });

  test('of another enclave, another organization or another version are refused by name', () => {
    const bytes = encodeHead(head, tagKey);
    expect(() => decodeHead(head.organization, bytes, deriveKey(randomBytes(32), 'headTag'))).toThrow(
      'not made by this enclave',
    );
    expect(() => decodeHead(randomBytes(16), bytes, tagKey)).toThrow("another organization's");
    const body = encode({ ...(decode(bytes.subarray(0, -16)) as object), v: 2 });
    const tag = createHmac('sha256', tagKey).update(body).digest().subarray(0, 16);
    expect(() => decodeHead(head.organization, Buffer.concat([body, tag]), tagKey)).toThrow('unknown format version 2');
  });
});

describe('batch records', () => {
  const sealer = createSealer(rootKey);
  const record = {
    number: 9,
    previous: randomBytes(32),
    time: 1_750_000_000_000,
    epoch: 1,
    epochStart: 2,
    changes: [
      [randomBytes(32), null, randomBytes(32)],
      [randomBytes(32), randomBytes(32), null],
    ] as const,
    firstLeaf: 4,
    entries: randomBytes(32),
  };

  test('come back as they were, with the hash of what is stored', () => {
    const { sealed, hash } = sealBatch(record, sealer);
    expect(hash).toEqual(sha256(sealed));
    expect(openBatch(9, sealed, sealer)).toEqual({ ...record, hash });
  });

  test('under another number, of another enclave, or altered are refused', () => {
    const { sealed } = sealBatch(record, sealer);
    for (const number of [8, 10, 9.5, '09' as unknown as number]) {
      expect(() => openBatch(number, sealed, sealer)).toThrow('was not sealed for this place');
    }
    expect(() => openBatch(9, sealed, createSealer(randomBytes(32)))).toThrow('was not sealed for this place');
    expect(() => openBatch(9, sealed.subarray(0, -1), sealer)).toThrow();
  });

  test('of an unknown version are refused by name', () => {
    const place = { kind: 'batch', organization: Buffer.alloc(0), id: Buffer.from('9') } as const;
    const sealed = sealer.seal(place, 9, encode({ v: 2, number: 9 }));
    expect(() => openBatch(9, sealed, sealer)).toThrow('batch 9 has the unknown format version 2');
  });
});

describe('checkpoints', () => {
  const signer = createCheckpointSigner(deriveKey(rootKey, 'checkpointKey'));
  const checkpoint = {
    size: 12_345,
    logRoot: randomBytes(32),
    mapRoot: randomBytes(32),
    batch: 67,
    epoch: 2,
    settings: randomBytes(32),
    enclave: randomBytes(32),
  };

  /** A verifier of C2SP signed notes, from the text of the specification. */
  function verifyNote(note: string, verifierKey: string): string {
    const [name, id, encoded] = /^([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/.exec(verifierKey)?.slice(1) ?? [];
    const typed = Buffer.from(encoded ?? '', 'base64');
    const expectedId = sha256(Buffer.concat([Buffer.from(`${name}\n`), typed])).subarray(0, 4);
    if (expectedId.toString('hex') !== id || typed[0] !== 1 || typed.length !== 33) throw new Error('bad verifier key');
    const split = note.lastIndexOf('\n\n');
    const text = note.slice(0, split + 1);
    const lines = note.slice(split + 2).split('\n');
    if (lines.pop() !== '') throw new Error('the last line does not end');
    const key = createPublicKey({
      format: 'jwk',
      key: { kty: 'OKP', crv: 'Ed25519', x: typed.subarray(1).toString('base64url') },
    });
    const isGood = lines.some((line) => {
      const [, signer, blob] = /^\u2014 (\S+) (\S+)$/.exec(line) ?? [];
      const bytes = Buffer.from(blob ?? '', 'base64');
      if (signer !== name || !bytes.subarray(0, 4).equals(expectedId)) return false;
      return verify(null, Buffer.from(text), key, bytes.subarray(4));
    });
    if (!isGood) throw new Error('no signature by the key');
    return text;
  }

  test('are signed notes whose text names log, map, batch, epoch, settings and enclave', () => {
    const text = verifyNote(signer.sign(checkpoint), signer.verifierKey);
    expect(text.split('\n')).toEqual([
      signer.origin,
      '12345',
      checkpoint.logRoot.toString('base64'),
      `map ${checkpoint.mapRoot.toString('base64')}`,
      'batch 67 epoch 2',
      `settings ${checkpoint.settings.toString('base64')}`,
      `enclave ${checkpoint.enclave.toString('base64')}`,
      '',
    ]);
    expect(signer.origin).toMatch(/^countersign\/[0-9a-f]{16}$/);
  });

  test('do not verify with a character changed, or under another key', () => {
    const note = signer.sign(checkpoint);
    expect(() => verifyNote(note.replace('12345', '12346'), signer.verifierKey)).toThrow('no signature');
    expect(() => verifyNote(note.replace('epoch 2', 'epoch 3'), signer.verifierKey)).toThrow('no signature');
    const other = createCheckpointSigner(deriveKey(randomBytes(32), 'checkpointKey'));
    expect(() => verifyNote(note, other.verifierKey)).toThrow('no signature');
  });

  test('of one root key have one verifier key', () => {
    expect(createCheckpointSigner(deriveKey(rootKey, 'checkpointKey')).verifierKey).toBe(signer.verifierKey);
  });

  test('the specification’s example verifies', () => {
    const key = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k';
    const signature = 'Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=';
    const text = 'This is an example message.\n';
    expect(verifyNote(`${text}\n\u2014 example.com/foo ${signature}\n`, key)).toBe(text);
  });
});
