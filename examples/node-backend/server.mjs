/**
 * A company's backend in front of Countersign, with Node's own modules and the SDK:
 *
 *   POST /sign-up   {userName, registration} → the user's sub-organization; stamped here, by the company's API key
 *   POST /forward   what the user's passkey stamped in the browser (`client.stamp.…`) → the result
 *
 * The API key is the company's alone: it never leaves this process, and it signs nothing for users.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { apiKeyStamper, createClient, forward } from '@countersign/sdk';

const { ROOT_JSON = './data/root.json', APP_ORIGIN = 'http://localhost:3000', PORT = '3001' } = process.env;
const root = JSON.parse(readFileSync(ROOT_JSON, 'utf8'));

const company = createClient({
  baseUrl: root.apiBaseUrl,
  organizationId: root.organizationId,
  stamp: apiKeyStamper({ publicKey: root.apiPublicKey, privateKey: root.apiPrivateKey }),
});

const maxBody = 1_048_576;

const server = createServer(async (request, response) => {
  const answer = await handle(request).catch((error) => ({
    status: error instanceof SyntaxError ? 400 : error.status >= 400 ? error.status : 502,
    body: JSON.stringify({ message: error.message, code: error.code }),
  }));
  response.writeHead(answer.status, { ...crossOrigin, 'Content-Type': 'application/json' }).end(answer.body);
});

/** The application's pages may call this backend. */
const crossOrigin = {
  'Access-Control-Allow-Origin': APP_ORIGIN,
  'Access-Control-Allow-Methods': 'POST',
  'Access-Control-Allow-Headers': 'Content-Type',
  'Access-Control-Max-Age': '7200',
  Vary: 'Origin',
};

async function handle(request) {
  if (request.method === 'OPTIONS') return { status: 204 };
  if (request.method !== 'POST') return { status: 405, body: '{"message":"expected POST"}' };
  const content = JSON.parse((await readBody(request)).toString());
  if (request.url === '/sign-up') return signUp(content);
  if (request.url === '/forward') return passOn(content);
  return { status: 404, body: '{"message":"no such path"}' };
}

/** Whoever may sign up is for your application to decide, before this. */
async function signUp({ userName, registration }) {
  const { subOrganizationId, wallet } = await company.createSubOrganization({
    subOrganizationName: userName,
    rootQuorumThreshold: 1,
    rootUsers: [{ userName, authenticators: [{ authenticatorName: 'Passkey', ...registration }] }],
    wallet: {
      walletName: 'Wallet',
      accounts: [
        {
          curve: 'CURVE_SECP256K1',
          pathFormat: 'PATH_FORMAT_BIP32',
          path: "m/44'/60'/0'/0/0",
          addressFormat: 'ADDRESS_FORMAT_ETHEREUM',
        },
      ],
    },
  });
  return { status: 200, body: JSON.stringify({ subOrganizationId, address: wallet?.addresses[0] }) };
}

/**
 * The SDK sends the very bytes that were stamped, and the same again where there is no answer: the service takes a body once,
 * so nothing is done or signed a second time. To which service is ours to say, not the page's.
 */
async function passOn(stamped) {
  const result = await forward(stamped, { baseUrl: root.apiBaseUrl });
  return { status: 200, body: JSON.stringify(result) };
}

async function readBody(request) {
  const chunks = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > maxBody) throw Object.assign(new Error('the body is larger than 1 MiB'), { status: 413 });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

server.listen(Number(PORT), '127.0.0.1', () => console.log(`backend on http://localhost:${PORT}`));
