/**
 * AWS KMS for an attested enclave (KMS API, `GenerateDataKey` and `Decrypt` with `Recipient`). The enclave has no network: a Unix
 * socket leads to a proxy that passes bytes on to the endpoint, and TLS ends here. KMS answers with what only this enclave can
 * open, but anybody could make such an answer: it is the certificate of the endpoint that says who did.
 */
import { generateKeyPair, type KeyObject } from 'node:crypto';
import { request } from 'node:https';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { promisify } from 'node:util';
import { EnvelopeError, openEnvelope } from './envelope.ts';
import { attest } from './nsm.ts';
import { type AwsCredentials, signRequest } from './sign-request.ts';

export class KmsError extends Error {
  override name = 'KmsError';
}

export type Kms = {
  /** ARN of the key. */
  readonly key: string;
  /** Socket of the proxy to the endpoint of the key's region. */
  readonly socket: string;
  /** Socket of the bridge to the security module. */
  readonly nsm: string;
  readonly credentials: AwsCredentials;
  /** Certificates to trust in place of the public ones: for tests. */
  readonly authorities?: string;
};

const patienceMs = 20_000;
const largestAnswer = 64 * 1024;
/** Bound to each ciphertext, and readable in the logs of KMS. */
const encryptionContext = { application: 'countersign', purpose: 'root-key' };

/** A new data key, and the same encrypted under the KMS key. */
export async function generateDataKey(kms: Kms): Promise<{ key: Buffer; ciphertext: Buffer }> {
  const recipient = await createRecipient(kms);
  const body = { KeyId: kms.key, KeySpec: 'AES_256', EncryptionContext: encryptionContext, Recipient: recipient.body };
  const answer = await call(kms, 'GenerateDataKey', body);
  return { key: openKey(answer, recipient.privateKey), ciphertext: bytesOf(answer, 'CiphertextBlob') };
}

/** The data key that `ciphertext` holds. */
export async function decryptDataKey(kms: Kms, ciphertext: Uint8Array): Promise<Buffer> {
  const recipient = await createRecipient(kms);
  const answer = await call(kms, 'Decrypt', {
    KeyId: kms.key,
    CiphertextBlob: Buffer.from(ciphertext).toString('base64'),
    EncryptionContext: encryptionContext,
    Recipient: recipient.body,
  });
  return openKey(answer, recipient.privateKey);
}

/** An RSA key for one answer, in a fresh attestation document. */
async function createRecipient({ nsm }: Kms) {
  const { publicKey, privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 });
  const document = await attest(nsm, { publicKey: publicKey.export({ type: 'spki', format: 'der' }) });
  const body = { AttestationDocument: document.toString('base64'), KeyEncryptionAlgorithm: 'RSAES_OAEP_SHA_256' };
  return { privateKey, body };
}

type Answer = Readonly<Record<string, unknown>>;

function openKey(answer: Answer, privateKey: KeyObject): Buffer {
  try {
    const key = openEnvelope(bytesOf(answer, 'CiphertextForRecipient'), privateKey);
    if (key.length === 32) return key;
    key.fill(0);
    throw new KmsError('KMS answered with a key of another size than 32 bytes');
  } catch (error) {
    if (error instanceof EnvelopeError)
      throw new KmsError(`KMS answered with an envelope that does not open: ${error.message}`);
    throw error;
  }
}

function bytesOf(answer: Answer, name: string): Buffer {
  const text = answer[name];
  if (typeof text === 'string' && /^[A-Za-z0-9+/]+={0,2}$/.test(text)) return Buffer.from(text, 'base64');
  throw new KmsError(`KMS answered without ${name}; it must be an endpoint that takes Recipient`);
}

/** Region of an ARN like arn:aws:kms:eu-central-1:111122223333:key/… */
export const regionOf = (arn: string): string | undefined =>
  /^arn:aws[a-z-]*:kms:([a-z0-9-]+):\d{12}:(key|alias)\/\S+$/.exec(arn)?.[1];

async function call(kms: Kms, action: string, content: object): Promise<Answer> {
  const region = regionOf(kms.key);
  if (!region) throw new KmsError('COUNTERSIGN_KMS_KEY: expected the ARN of a KMS key');
  const host = `kms.${region}.amazonaws.com`;
  const body = JSON.stringify(content);
  const given = { host, 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `TrentService.${action}` };
  const headers = signRequest({ region, service: 'kms', headers: given, body }, kms.credentials, new Date());
  const { status, text } = await post(kms, host, headers, body);
  const answer = parse(text, action);
  if (status === 200) return answer;
  const [type, message] = [answer.__type, answer.message ?? answer.Message].map(shortText);
  throw new KmsError(`KMS refuses ${action} with status ${status}: ${type} ${message}`);
}

const shortText = (value: unknown): string => (typeof value === 'string' ? value.slice(0, 300) : '');

function parse(text: string, action: string): Answer {
  try {
    const answer: unknown = JSON.parse(text);
    if (typeof answer === 'object' && answer !== null) return answer as Answer;
  } catch {
    // Said below.
  }
  throw new KmsError(`KMS answered ${action} with something that is no JSON object`);
}

function post(
  kms: Kms,
  host: string,
  headers: Record<string, string>,
  body: string,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const proxy = connect(kms.socket);
    const fail = (error: NodeJS.ErrnoException) => {
      proxy.destroy();
      reject(new KmsError(`KMS cannot be reached through ${kms.socket} (${error.code ?? error.message})`));
    };
    proxy.on('error', fail);
    const options = { socket: proxy, servername: host, ...(kms.authorities && { ca: kms.authorities }) };
    const call = request({
      host,
      method: 'POST',
      path: '/',
      headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) },
      createConnection: () => connectTls(options),
      signal: AbortSignal.timeout(patienceMs),
    });
    call.on('error', fail);
    call.on('response', async (response) => {
      try {
        let text = '';
        for await (const chunk of response.setEncoding('utf8')) {
          text += chunk;
          if (text.length > largestAnswer) throw new KmsError('KMS answered with more than 64 KiB');
        }
        resolve({ status: response.statusCode ?? 0, text });
      } catch (error) {
        response.destroy();
        reject(error instanceof KmsError ? error : new KmsError('KMS hung up in the middle of its answer'));
      }
    });
    call.end(body);
  });
}
