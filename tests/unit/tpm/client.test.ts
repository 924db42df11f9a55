import { randomBytes, verify } from 'node:crypto';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sha256 } from '../../../src/enclave/ledger/hash.ts';
import { flush, openTpm, type Tpm } from '../../../src/enclave/tpm/client.ts';
import { defineNv, extendNv, incrementNv, nvExists, readNv, undefineNv } from '../../../src/enclave/tpm/nv.ts';
import {
  attestationKeyTemplate,
  createPrimary,
  createSealed,
  type LoadedObject,
  load,
  publicKeyOf,
  startSession,
  storageKeyTemplate,
  unseal,
} from '../../../src/enclave/tpm/objects.ts';
import { assertPcrs, extendPcr, pcrPolicy, quote, readPcrs } from '../../../src/enclave/tpm/pcr.ts';
import type { Session } from '../../../src/enclave/tpm/session.ts';
import { createReader } from '../../../src/enclave/tpm/wire.ts';
import { hasSwtpm, type SoftwareTpm, startSwtpm } from '../../support/swtpm.ts';

describe.skipIf(!hasSwtpm)('the TPM client, against swtpm (skipped where it is not installed)', () => {
  let chip: SoftwareTpm;
  let tpm: Tpm;
  let storageKey: LoadedObject;
  let session: Session;

  const open = async (path = chip.socket) => {
    tpm = await openTpm(path);
    storageKey = await createPrimary(tpm, storageKeyTemplate);
    session = await startSession(tpm, storageKey, 'hmac');
  };
  beforeAll(async () => {
    chip = await startSwtpm();
    await open();
  });
  afterAll(async () => {
    await tpm.close();
    await chip.remove();
  });

  test('an index extends by hash, from 32 zero bytes, and only for who knows its authorization value', async () => {
    const nv = { index: 0x1500020, kind: 'extend', auth: randomBytes(32) } as const;
    await defineNv(tpm, nv, session);
    const [first, second] = [randomBytes(32), randomBytes(32)];
    await extendNv(tpm, nv, first, session, true);
    await extendNv(tpm, nv, second, session);
    const chain = sha256(Buffer.concat([sha256(Buffer.concat([Buffer.alloc(32), first])), second]));
    expect(await readNv(tpm, nv, session)).toEqual(chain);
    await expect(readNv(tpm, { ...nv, auth: randomBytes(32) }, session)).rejects.toThrow('authorization value');
    expect(await nvExists(tpm, nv.index)).toBe(true);
    await undefineNv(tpm, nv, true, session);
    expect(await nvExists(tpm, nv.index)).toBe(false);
  });

  test('a counter that is made anew goes on above the old one', async () => {
    const nv = { index: 0x1500021, kind: 'counter', auth: randomBytes(32) } as const;
    await defineNv(tpm, nv, session);
    await incrementNv(tpm, nv, session, true);
    await incrementNv(tpm, nv, session);
    const before = (await readNv(tpm, nv, session)).readBigUInt64BE();
    await undefineNv(tpm, nv, true, session);
    await defineNv(tpm, nv, session);
    await incrementNv(tpm, nv, session, true);
    expect((await readNv(tpm, nv, session)).readBigUInt64BE()).toBeGreaterThan(before);
  });

  test('an authorization value may end in zeros, which the TPM drops', async () => {
    const nv = { index: 0x1500022, kind: 'counter', auth: Buffer.concat([randomBytes(30), Buffer.alloc(2)]) } as const;
    await defineNv(tpm, nv, session);
    await incrementNv(tpm, nv, session, true);
    await undefineNv(tpm, nv, true, session);
  });

  test('data sealed to registers comes out only while they hold what they held', async () => {
    await extendPcr(tpm, 16, sha256(Buffer.from('the code')));
    const secret = randomBytes(32);
    const policy = pcrPolicy([16], await readPcrs(tpm, [16]));
    const created = await createSealed(tpm, storageKey, secret, policy, session);
    const item = await load(tpm, storageKey, created);
    const opened = await startSession(tpm, storageKey, 'policy');
    await assertPcrs(tpm, opened, [16]);
    expect(await unseal(tpm, item, opened)).toEqual(secret);
    await flush(tpm, opened.handle);
    await extendPcr(tpm, 16, sha256(Buffer.from('other code')));
    const other = await startSession(tpm, storageKey, 'policy');
    await assertPcrs(tpm, other, [16]);
    await expect(unseal(tpm, item, other)).rejects.toThrow('measured code');
    await flush(tpm, other.handle);
    await flush(tpm, item.handle);
  });

  test('a quote is signed over the nonce by a key of the TPM', async () => {
    const key = await createPrimary(tpm, attestationKeyTemplate);
    const nonce = randomBytes(32);
    const { attested, signature } = await quote(tpm, key, [0, 16], nonce);
    expect(attested.includes(nonce)).toBe(true);
    const reader = createReader(signature.subarray(4));
    const pad = (bytes: Buffer) => Buffer.concat([Buffer.alloc(32 - bytes.length), bytes]);
    const raw = Buffer.concat([pad(reader.sized()), pad(reader.sized())]);
    const publicKey = { key: publicKeyOf(key.publicArea), dsaEncoding: 'ieee-p1363' } as const;
    expect(verify('sha256', attested, publicKey, raw)).toBe(true);
    await flush(tpm, key.handle);
  });

  test('a client that is killed leaves nothing behind that fills the TPM', async () => {
    for (let times = 0; times < 8; times++) {
      await tpm.close();
      await open();
    }
  });

  test('what crosses the socket shows neither authorization values nor sealed data, and cannot be answered by others', async () => {
    const path = join(tmpdir(), `tap-${randomBytes(6).toString('hex')}.sock`);
    const seen: Buffer[] = [];
    let forge = false;
    const tap = await listen(path, (client) => {
      const up = createConnection(chip.socket);
      client.on('data', (bytes) => {
        seen.push(bytes);
        up.write(bytes);
      });
      up.on('data', (bytes) => {
        seen.push(bytes);
        if (forge) bytes.writeUInt8((bytes.at(20) as number) ^ 1, 20);
        client.write(bytes);
      });
      client.on('close', () => up.destroy());
    });
    await tpm.close();
    await open(path);
    const nv = { index: 0x1500023, kind: 'extend', auth: randomBytes(32) } as const;
    const secret = randomBytes(32);
    await defineNv(tpm, nv, session);
    await extendNv(tpm, nv, randomBytes(32), session, true);
    const policy = pcrPolicy([16], await readPcrs(tpm, [16]));
    const item = await load(tpm, storageKey, await createSealed(tpm, storageKey, secret, policy, session));
    const opened = await startSession(tpm, storageKey, 'policy');
    await assertPcrs(tpm, opened, [16]);
    expect(await unseal(tpm, item, opened)).toEqual(secret);
    const wire = Buffer.concat(seen);
    expect(wire.length).toBeGreaterThan(1000);
    expect(wire.includes(nv.auth)).toBe(false);
    expect(wire.includes(secret)).toBe(false);
    forge = true;
    await expect(readNv(tpm, nv, session)).rejects.toThrow('somebody stands between');
    await tpm.close();
    tap.close();
    await open();
  });
});

function listen(path: string, use: (socket: Socket) => void): Promise<Server> {
  const server = createServer(use);
  return new Promise((resolve) => server.listen(path, () => resolve(server)));
}
