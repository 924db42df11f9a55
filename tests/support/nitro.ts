/** A security module and a KMS as their APIs describe them, on real Unix sockets, for a machine that has neither. */
import { constants, createCipheriv, createHash, createPublicKey, publicEncrypt, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttps } from 'node:https';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Cbor, decode, encode } from '../../src/protocol/cbor.ts';

const endpoint = JSON.parse(
  readFileSync(join(import.meta.dirname, '..', 'vectors', 'nitro-kms', 'endpoint.json'), 'utf8'),
) as { key: string; certificate: string };
export const authorities = endpoint.certificate;

export type KmsRequest = { action: string; headers: NodeJS.Dict<string | string[]>; body: Record<string, unknown> };
type KmsAnswer = { status: number; body: unknown };

export type Nitro = {
  /** Of the enclave; holds credentials. */
  readonly folder: string;
  readonly nsmSocket: string;
  readonly kms: { readonly key: string; readonly socket: string };
  readonly asked: KmsRequest[];
  /** What the security module measured; KMS gives keys out to `trusted` alone. */
  measurement: string;
  /** Changes what the two answer. */
  nsmAnswers: (honest: Cbor) => Cbor | Buffer;
  kmsAnswers: (honest: KmsAnswer) => KmsAnswer;
  stop(): Promise<void>;
};

export const trusted = 'trusted image';

export async function startNitro(): Promise<Nitro> {
  const folder = mkdtempSync(join(tmpdir(), 'nitro-'));
  const nsmSocket = join(folder, 'nsm.sock');
  const kmsSocket = join(folder, 'kms.sock');
  const own = join(folder, 'enclave');
  mkdirSync(own);
  writeFileSync(
    join(own, 'aws-credentials.json'),
    JSON.stringify({ accessKeyId: 'AKID', secretAccessKey: 'secret', sessionToken: 'token' }),
  );
  const dataKeys = new Map<string, Buffer>();
  const nitro: Nitro = {
    folder: own,
    nsmSocket,
    kms: { key: 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd', socket: kmsSocket },
    asked: [],
    measurement: trusted,
    nsmAnswers: (honest) => honest,
    kmsAnswers: (honest) => honest,
    async stop() {
      for (const server of servers) server.close();
      kms.closeAllConnections();
      await Promise.all(servers.map((server) => once(server, 'close')));
      rmSync(folder, { recursive: true });
    },
  };
  const nsm = createServer((stream) => serveNsm(stream, nitro));
  const kms = createHttps({ key: endpoint.key, cert: endpoint.certificate }, async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>;
    const action = String(request.headers['x-amz-target']).replace('TrentService.', '');
    nitro.asked.push({ action, headers: request.headers, body });
    const { status, body: answer } = nitro.kmsAnswers(answerOf(action, body, dataKeys));
    response.writeHead(status, { 'Content-Type': 'application/x-amz-json-1.1' });
    response.end(typeof answer === 'string' ? answer : JSON.stringify(answer));
  });
  const servers: Server[] = [nsm, kms];
  nsm.listen(nsmSocket);
  kms.listen(kmsSocket);
  await Promise.all(servers.map((server) => once(server, 'listening')));
  return nitro;
}

/** An attestation document of this module is CBOR of what it says, unsigned. */
function serveNsm(stream: Socket, nitro: Nitro): void {
  stream.on('error', () => {});
  stream.on('data', (chunk) => {
    const request = decode(chunk.subarray(4)) as { Attestation: Record<string, Cbor> };
    const document = encode({ ...request.Attestation, measurement: nitro.measurement });
    const answer = nitro.nsmAnswers({ Attestation: { document } });
    if (Buffer.isBuffer(answer)) return void stream.end(answer);
    const bytes = encode(answer);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    // In two pieces, as a stream may bring it.
    stream.write(Buffer.concat([length, bytes.subarray(0, 3)]));
    setImmediate(() => stream.write(bytes.subarray(3)));
  });
}

function answerOf(action: string, body: Record<string, unknown>, dataKeys: Map<string, Buffer>): KmsAnswer {
  const recipient = body.Recipient as { AttestationDocument: string; KeyEncryptionAlgorithm: string };
  const document = decode(Buffer.from(recipient.AttestationDocument, 'base64')) as Record<string, Cbor>;
  const refuse = (type: string): KmsAnswer => ({ status: 400, body: { __type: type, message: 'refused' } });
  if (document.measurement !== trusted) return refuse('AccessDeniedException');
  if (recipient.KeyEncryptionAlgorithm !== 'RSAES_OAEP_SHA_256') return refuse('ValidationException');
  // What a ciphertext is bound to.
  const bound = JSON.stringify([body.KeyId, body.EncryptionContext]);
  const nameOf = (blob: Buffer) => createHash('sha256').update(bound).update(blob).digest('hex');
  const blob = action === 'GenerateDataKey' ? randomBytes(100) : Buffer.from(String(body.CiphertextBlob), 'base64');
  if (action === 'GenerateDataKey') dataKeys.set(nameOf(blob), randomBytes(32));
  const key = dataKeys.get(nameOf(blob));
  if (!key) return refuse('InvalidCiphertextException');
  const envelope = envelop(key, document.public_key as Uint8Array).toString('base64');
  const given = { KeyId: body.KeyId, CiphertextForRecipient: envelope, Plaintext: null };
  return { status: 200, body: action === 'Decrypt' ? given : { ...given, CiphertextBlob: blob.toString('base64') } };
}

/** CMS EnvelopedData for an RSA key (DER SPKI), with indefinite lengths and the content in pieces. */
export function envelop(content: Buffer, publicKey: Uint8Array): Buffer {
  const key = createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' });
  const [contentKey, iv] = [randomBytes(32), randomBytes(16)];
  const cipher = createCipheriv('aes-256-cbc', contentKey, iv);
  const encrypted = Buffer.concat([cipher.update(content), cipher.final()]);
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  const encryptedKey = publicEncrypt({ key, padding, oaepHash: 'sha256' }, contentKey);
  const oid = (hex: string) => der(0x06, Buffer.from(hex, 'hex'));
  const integer = (value: number) => der(0x02, Buffer.of(value));
  const recipient = der(
    0x30,
    integer(2),
    der(0x80, randomBytes(20)),
    der(0x30, oid('2a864886f70d010107'), der(0x30)),
    der(0x04, encryptedKey),
  );
  const half = encrypted.length / 2;
  const pieces = [encrypted.subarray(0, half), encrypted.subarray(half)].map((piece) => der(0x04, piece));
  const algorithm = der(0x30, oid('60864801650304012a'), der(0x04, iv));
  const info = indefinite(0x30, oid('2a864886f70d010701'), algorithm, indefinite(0xa0, ...pieces));
  const enveloped = indefinite(0x30, integer(2), der(0x31, recipient), info);
  return indefinite(0x30, oid('2a864886f70d010703'), indefinite(0xa0, enveloped));
}

const indefinite = (tag: number, ...parts: Buffer[]): Buffer =>
  Buffer.concat([Buffer.of(tag, 0x80), ...parts, Buffer.of(0, 0)]);

function der(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const head = length < 128 ? [tag, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), content]);
}
