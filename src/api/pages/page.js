/** The start page: state of the service, and the steps of Try it, each opened by the one before. */
import { readCompany } from './company-key.js';
import { checks, element, facts, failure, request, show } from './elements.js';
import {
  askWhoIs,
  createPasskey,
  createSubOrganization,
  joinSignature,
  readStamp,
  recoverSigner,
  signMessage,
  userOf,
} from './try-it.js';

const byId = (id) => document.getElementById(id);

byId('base-url').textContent = location.origin;
void showHealth();
warnAboutAddress();

let company;
let user;

const companyStep = step('step-company', async () => useKey(byId('root-text').value));
const userStep = step('step-user', createUser);
const signStep = step('step-sign', sign);
const refuseStep = step('step-refuse', refuse);

byId('use-key').addEventListener('click', companyStep);
byId('create').addEventListener('click', userStep);
byId('sign').addEventListener('click', signStep);
byId('refuse').addEventListener('click', refuseStep);
byId('root-file').addEventListener('change', ({ target }) => takeFile(target.files[0]));
takeDrops(byId('drop'));

async function useKey(text) {
  const read = readCompany(text);
  tell('Asking the service whether it knows this key…');
  const { organizationName, username } = await askWhoIs(read);
  company = read;
  byId('root-text').value = '';
  byId('company-form').hidden = true;
  byId('create').disabled = false;
  byId('user-name').focus();
  tell('The service knows the key. Next: create a passkey.');
  return [
    facts({
      Organization: organizationName,
      'Organization id': element('code', company.organizationId),
      'Stamps as': username,
      'Public key': element('code', company.apiPublicKey),
    }),
  ];
}

async function createUser() {
  const userName = byId('user-name').value.trim() || 'Somebody';
  tell('Waiting for your browser to make a passkey…');
  const registration = await createPasskey({
    rp: { id: company.rpId, name: 'Countersign' },
    user: { name: userName, displayName: userName },
  });
  tell('Passkey made. The company’s key stamps the sub-organization…');
  const { subOrganizationId, address } = await createSubOrganization(company, userName, registration);
  const { credentialId } = registration.attestation;
  user = { ...userOf(company.rpId, credentialId), subOrganizationId, address };
  for (const id of ['step-sign', 'step-verify', 'step-refuse']) clear(id);
  byId('refuse').disabled = true;
  byId('sign').disabled = false;
  byId('message').focus();
  tell('The sub-organization and its wallet are there. Next: sign a message.');
  return [
    facts({
      Passkey: element('code', credentialId),
      'For (RP ID)': element('code', company.rpId),
      'Sub-organization': element('code', subOrganizationId),
      'Ethereum address': element('code', address),
    }),
    element('h4', 'What the enclave checked'),
    checks([
      ['The company’s API key stamped exactly this request', true],
      ['The passkey was registered on an allowed page, for an allowed RP ID, with the user present', true],
      ['It drew the wallet’s seed itself and sealed it for this sub-organization', true],
    ]),
  ];
}

async function sign() {
  const message = byId('message').value;
  tell('Waiting for your passkey…');
  const signed = await signMessage(user, user.subOrganizationId, user.address, message);
  const stamp = readStamp(signed.request, signed.activity);
  byId('refuse').disabled = false;
  tell('Signed. Verifying the signature in this page…');
  await step('step-verify', () => verify(message, signed.signature))();
  return [
    facts({ Signature: element('code', joinSignature(signed.signature)) }),
    element('h4', 'What the enclave checked before it signed'),
    checks([
      [
        'The stamp is over exactly this body: its challenge is the body’s SHA-256',
        stamp.challengeMatches,
        stamp.digest,
      ],
      ['It was made on an allowed page', stamp.origin === location.origin, stamp.origin],
      ['It is for the passkey’s RP ID', true, `SHA-256 ${stamp.rpIdHash}`],
      [stamp.userVerified ? 'The user was present, and verified' : 'The user was present', stamp.userPresent],
      ['The passkey is this sub-organization’s own, and its public key verifies the stamp', true, stamp.credentialId],
      [
        'The request is fresh and new: the same body again gives this same activity',
        stamp.fingerprintMatches,
        signed.activity.fingerprint,
      ],
    ]),
    request('The stamped request', signed.request),
  ];
}

function verify(message, signature) {
  const { hash, publicKey, address } = recoverSigner(message, signature);
  const matches = address === user.address.toLowerCase();
  tell(matches ? 'The signature is by the user’s address. Verified.' : 'The signature is not by the user’s address.');
  if (!matches) throw new Error(`The signature is by ${address}, not by ${user.address}.`);
  return [
    checks([
      ['Keccak-256 of the message, as Ethereum prefixes it', true, hash],
      ['Public key recovered from hash and signature', true, publicKey],
      ['Its address: the last 20 bytes of its Keccak-256', true, address],
      ['The same as the wallet’s address', matches, user.address],
    ]),
  ];
}

async function refuse() {
  tell('Sending a request that the company’s key stamps…');
  const { subOrganizationId, address } = user;
  const refusal = await signMessage(company, subOrganizationId, address, byId('message').value).then(
    () => undefined,
    (error) => error,
  );
  if (refusal?.name !== 'CountersignClientError' || refusal.status === 0) {
    throw refusal ?? new Error('The company could sign. This must never happen.');
  }
  tell('Refused, as it must be.');
  return [checks([[`Refused with ${refusal.status} ${refusal.code}`, true, refusal.message]])];
}

/** A step of the list: runs `work`, shows the elements that it gives or what it rejects with. One runs at a time. */
function step(id, work) {
  const item = byId(id);
  const result = item.querySelector('.result');
  const button = item.querySelector('button');
  return async () => {
    if (button) button.disabled = true;
    try {
      show(result, await work());
      item.dataset.state = 'done';
    } catch (error) {
      item.dataset.state = 'failed';
      show(result, [failure(error)]);
      tell('');
    }
    if (button) button.disabled = false;
  };
}

/** Takes away what a step showed for the user before. */
function clear(id) {
  delete byId(id).dataset.state;
  show(byId(id).querySelector('.result'), []);
}

async function takeFile(file) {
  if (!file) return;
  byId('root-text').value = await file.text();
  await companyStep();
}

function takeDrops(area) {
  const over = (event) => {
    event.preventDefault();
    area.dataset.over = '';
  };
  area.addEventListener('dragover', over);
  area.addEventListener('dragleave', () => delete area.dataset.over);
  area.addEventListener('drop', (event) => {
    event.preventDefault();
    delete area.dataset.over;
    void takeFile(event.dataTransfer.files[0]);
  });
}

/** Said to screen readers as well, without taking the focus. */
function tell(text) {
  byId('progress').textContent = text;
}

async function showHealth() {
  const place = byId('health');
  const health = await fetch('/health').then(
    (response) => response.json(),
    () => undefined,
  );
  const reason = health?.database?.reason ?? health?.enclave?.reason ?? 'it does not answer';
  place.dataset.state = health?.status === 'ok' ? 'ok' : 'bad';
  place.textContent = health?.status === 'ok' ? 'Ready: enclave and database answer.' : `Not ready: ${reason}.`;
}

/** Browsers have no passkeys for IP addresses, nor for pages without TLS that are not on localhost. */
function warnAboutAddress() {
  const isAddress = /^[\d.]+$|^\[/.test(location.hostname);
  if (window.isSecureContext && !isAddress) return;
  const notice = byId('notice');
  notice.hidden = false;
  const local = Object.assign(new URL(location.href), { hostname: 'localhost' }).href;
  const link = Object.assign(element('a', local), { href: local });
  notice.append(
    'Passkeys do not work at this address. ',
    ...(isAddress ? ['On this machine, open ', link, '.'] : ['It needs https.']),
  );
}
