/** Receipts by somebody else's code: npm brings the verifier of Sigstore's logs along, which are C2SP and RFC 6962 as well. */
import { spawnSync } from 'node:child_process';
import { createHash, createPublicKey } from 'node:crypto';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readCoseReceipt } from '../../../sdk/src/verify/cose-receipt.ts';
import { readReceipt } from '../../../sdk/src/verify/read-receipt.ts';
import { encode } from '../../../src/protocol/cbor.ts';
import { parseVerifierKey } from '../../../src/protocol/log/signed-note.ts';
import { type EnclaveInMemory, startEnclave } from '../../support/enclave-in-memory.ts';
import { createResident, type Resident, signing } from '../../support/resident.ts';
import { activityBody } from '../../support/wire.ts';

const sha256 = (...parts: Uint8Array[]) => createHash('sha256').update(Buffer.concat(parts)).digest();

const { stdout } = spawnSync('npm', ['root', '--global'], { encoding: 'utf8' });
const folder = join((stdout ?? '').trim(), 'npm', 'node_modules', '@sigstore', 'verify', 'dist', 'tlog');
const isThere = existsSync(join(folder, 'checkpoint.js')) && existsSync(join(folder, 'merkle.js'));

describe.skipIf(!isThere)('by @sigstore/verify (skipped where npm does not bring it along)', () => {
  let enclave: EnclaveInMemory;
  let owner: Resident;
  beforeAll(async () => {
    enclave = await startEnclave();
    owner = await createResident(enclave.wire, enclave.parent, 'owner');
  });
  afterAll(() => enclave.remove());

  test('the checkpoint is signed, and the entry is in its log', async () => {
    const load = createRequire(join(folder, 'index.js'));
    const { verifyCheckpoint } = load('./checkpoint.js');
    const { verifyMerkleInclusion } = load('./merkle.js');
    for (let count = 0; count < 5; count++) {
      const body = activityBody(owner.organizationId, 'ACTIVITY_TYPE_SIGN_RAW_PAYLOAD_V2', signing(owner.addresses[0]));
      const stamp = owner.byPasskey.stamp(body);
      const answer = await enclave.wire({ kind: 'submit', name: 'sign_raw_payload', body, stamp, proof: true });
      const receipt = readReceipt(Buffer.from(answer.body.receipt as string, 'base64url'));
      const { issuer, index, path } = readCoseReceipt(receipt.cose);
      const key = parseVerifierKey(issuer);
      const x = Buffer.from(key.publicKey).toString('base64url');
      const log = {
        logID: Buffer.from(key.id),
        baseURL: key.name,
        publicKey: createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x } }),
      };
      const checkpointOf = (envelope: string) =>
        verifyCheckpoint({ inclusionProof: { checkpoint: { envelope } } }, [log]);
      const checkpoint = checkpointOf(receipt.checkpoint);
      expect(() => checkpointOf(receipt.checkpoint.replace('batch ', 'batch 1'))).toThrow(
        'invalid checkpoint signature',
      );

      const entry = encode({ v: 1, kind: 'activity', digest: sha256(receipt.row, sha256(receipt.claims)) });
      const proven = (canonicalizedBody: Buffer) =>
        verifyMerkleInclusion(
          { canonicalizedBody, inclusionProof: { logIndex: String(index), hashes: path.map(Buffer.from) } },
          checkpoint,
        );
      proven(entry);
      expect(() => proven(Buffer.concat([entry, Buffer.of(0)]))).toThrow('does not match');
    }
  });
});
