/** Sign up with a passkey, then sign a message with it. Needs the backend of ../node-backend. */
import { createClient, createPasskey, passkeyStamper } from '@countersign/sdk';
import { StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';

const backend = 'http://localhost:3001';
/** The registrable domain of your pages; a passkey works on them alone. */
const rpId = window.location.hostname;

async function signUp(userName) {
  const registration = await createPasskey({
    rp: { id: rpId, name: 'Example' },
    user: { name: userName, displayName: userName },
  });
  const { subOrganizationId, address } = await post('/sign-up', { userName, registration });
  const stamp = passkeyStamper({ rpId, allowCredentials: [registration.attestation.credentialId] });
  return { address, client: createClient({ baseUrl: backend, organizationId: subOrganizationId, stamp }) };
}

async function post(path, content) {
  const headers = { 'Content-Type': 'application/json' };
  const answer = await fetch(backend + path, { method: 'POST', headers, body: JSON.stringify(content) });
  const result = await answer.json();
  if (!answer.ok) throw new Error(result.message);
  return result;
}

/** An EIP-191 personal message: the service hashes the bytes, and its policies see them. */
async function signMessage({ address, client }, message) {
  const bytes = new TextEncoder().encode(message);
  const prefixed = [...new TextEncoder().encode(`\x19Ethereum Signed Message:\n${bytes.length}`), ...bytes];
  const stamped = await client.stamp.signRawPayload({
    signWith: address,
    payload: prefixed.map((byte) => byte.toString(16).padStart(2, '0')).join(''),
    encoding: 'PAYLOAD_ENCODING_HEXADECIMAL',
    hashFunction: 'HASH_FUNCTION_KECCAK256',
  });
  const { r, s, v } = await post('/forward', stamped);
  return `0x${r}${s}${v === '00' ? '1b' : '1c'}`;
}

/** What the user can do something about; everything else is for you to see. */
function explain(error) {
  if (error.name === 'NotAllowedError') return 'The passkey was declined, or the browser gave up waiting.';
  return error.message;
}

function App() {
  const [user, setUser] = useState();
  const [message, setMessage] = useState('I countersigned this.');
  const [signature, setSignature] = useState();
  const [status, setStatus] = useState('');

  const run = (waiting, work) => async (event) => {
    event.preventDefault();
    setStatus(waiting);
    try {
      await work();
      setStatus('');
    } catch (error) {
      setStatus(explain(error));
    }
  };

  const submit = user
    ? run('Waiting for your passkey…', async () => setSignature(await signMessage(user, message)))
    : run('Waiting for a passkey…', async () => setUser(await signUp('Ada Lovelace')));

  return (
    <form onSubmit={submit}>
      {user && (
        <>
          <p>
            Your address: <code>{user.address}</code>
          </p>
          <label>
            Message <textarea value={message} onChange={(event) => setMessage(event.target.value)} />
          </label>
        </>
      )}
      <button type="submit">{user ? 'Sign with your passkey' : 'Create a passkey'}</button>
      <p role="status">{status}</p>
      {signature && (
        <p>
          Signature: <code>{signature}</code>
        </p>
      )}
    </form>
  );
}

createRoot(document.getElementById('root')).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
