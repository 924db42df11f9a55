/**
 * A company's backend in front of Countersign, with Node's own modules and the SDK:
 *
 *   POST /sign-up          {userName, registration} → the user's sub-organization; stamped here, by the company's API key
 *   POST /public/v1/…      a request that the user's passkey stamped in the browser → forwarded as it is
 *
 * The API key is the company's alone: it never leaves this process, and it signs nothing for users.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { apiKeyStamper, createClient } from '@countersign/sdk';

const { ROOT_JSON = './data/root.json', APP_ORIGIN = 'http://localhost:3000', PORT = '3001' } = process.env;
const root = JSON.parse(readFileSync(ROOT_JSON, 'utf8'));

const company = createClient({
  baseUrl: root.apiBaseUrl,
  organizationId: root.organizationId,
  stamp: apiKeyStamper({ publicKey: root.apiPublicKey, privateKey: root.apiPrivateKey }),
});

const maxBody = 1_048_576;
const forwarded = /^\/public\/v1\/(?:submit|query)\/[a-z0-9_]+$/;

const server = createServer(async (request, response) => {
  const answer = await handle(request).catch((error) => ({
    status: error instanceof SyntaxError ? 400 : error.status || 502,
    body: JSON.stringify({ message: error.message }),
  }));
  response.writeHead(answer.status, { ...crossOrigin, 'Content-Type': 'application/json' }).end(answer.body);
});

/** The application's pages may call this backend, and send stamps. */
const crossOrigin = {
  'Access-Control-Allow-Origin': APP_ORIGIN,
  'Access-Control-Allow-Methods': 'POST',
  'Access-Control-Allow-Headers': 'Content-Type, X-Stamp-Webauthn, X-Client-Version',
  'Access-Control-Max-Age': '7200',
  Vary: 'Origin',
};

async function handle(request) {
  if (request.method === 'OPTIONS') return { status: 204 };
  if (request.method !== 'POST') return { status: 405, body: '{"message":"expected POST"}' };
  const body = await readBody(request);
  if (request.url === '/sign-up') return signUp(JSON.parse(body.toString()));
  if (forwarded.test(request.url)) return forward(request.url, request.headers['x-stamp-webauthn'], body);
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
 * Passes on a stamped request. The stamp is over these very bytes, so they are never parsed and written again. After a
 * time-out nobody knows whether the request was carried out: the same bytes are sent again, and the service answers them
 * with the activity that it has, or carries them out for the first time. A new body would be a second signature.
 */
async function forward(path, stamp, body) {
  if (!stamp) return { status: 401, body: '{"message":"expected X-Stamp-Webauthn"}' };
  const headers = { 'Content-Type': 'application/json', 'X-Stamp-Webauthn': stamp };
  for (let attempt = 1; ; attempt++) {
    try {
      const signal = AbortSignal.timeout(15_000);
      const answer = await fetch(root.apiBaseUrl + path, { method: 'POST', headers, body, signal });
      const text = await answer.text();
      if (answer.status < 502 || attempt === 3) return { status: answer.status, body: text };
    } catch (error) {
      if (attempt === 3) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 250 * attempt));
  }
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
