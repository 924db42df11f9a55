/** The page of trust: what is in force, what was verified of it, and what it is good for. */
import { bytesToHex } from '@noble/hashes/utils.js';
import { element, show } from './elements.js';
import { askAttestation, examine } from './trust/attestation.js';
import { describeTrust } from './trust/words.js';

const byId = (id) => document.getElementById(id);

void load();

async function load() {
  try {
    if (!window.isSecureContext)
      throw new Error('This page verifies signatures, which browsers do on https and on localhost only.');
    showAll(await examine(await askAttestation()));
  } catch (error) {
    byId('failure').textContent = `Nothing could be verified: ${error.message}`;
    byId('failure').hidden = false;
    say('bad', 'Not verified.');
  }
}

function showAll({ statement, bootId, platform, checkpoint, log, proven, found }) {
  const words = describeTrust(statement, platform, proven);
  show(
    byId('checks'),
    found.map(([state, what, value]) => item(state, state === 'bad' ? `Not so: ${what}` : what, value)),
  );
  show(
    byId('good'),
    words.good.map((text) => item('good', text)),
  );
  show(
    byId('bad'),
    words.bad.map((text) => item('open', text)),
  );
  byId('checkpoint').textContent = checkpoint ?? 'There is none yet.';
  showFacts(statement, bootId, words, log);
  compareCode(bytesToHex(statement.measurement));
  byId('content').hidden = false;
  if (found.some(([state]) => state === 'bad'))
    say('bad', 'Something does not fit. Do not rely on this service before it is explained.');
  else if (proven?.platform === 'tpm2')
    say('open', 'What could be checked fits. That the key named below is this machine’s TPM’s, its operator says.');
  else if (proven)
    say(
      'ok',
      'Its platform vouches for this enclave. Compare what it measured with the release that you expect: other code would say of itself what it likes.',
    );
  else say('open', 'What could be checked fits. No hardware vouches for the rest: you rely on the operator.');
}

function showFacts(statement, bootId, words, log) {
  const cosigned = log?.cosignatures
    ? `, ${log.cosignatures} cosignatures (not verified here: your program knows which witnesses count)`
    : '';
  const terms = {
    Platform: words.platform,
    Version: statement.version,
    'Keys are sealed by': words.sealing,
    'Freshness is kept by': words.anchors,
    Isolation: statement.isolation,
    Started: new Date(statement.time).toLocaleString(),
    Log: log ? `${log.size} entries, batch ${log.batch}, epoch ${log.epoch}${cosigned}` : 'no checkpoint yet',
    'Boot id': element('code', bootId),
  };
  const pairs = Object.entries(terms).flatMap(([term, value]) => [element('dt', term), element('dd', value)]);
  show(byId('facts'), pairs);
}

/** An enclave that nobody measured says zeros. */
function compareCode(measurement) {
  const isMeasured = /[1-9a-f]/.test(measurement);
  byId('measurement').textContent = isMeasured ? measurement : 'It was not measured when it was started.';
  byId('expected').addEventListener('input', ({ target }) => {
    const expected = target.value.trim().toLowerCase();
    const place = byId('compared');
    const isComplete = /^[0-9a-f]{96}$/.test(expected);
    const isSame = isComplete && isMeasured && expected === measurement;
    place.dataset.state = !expected ? '' : isSame ? 'good' : 'bad';
    if (!expected) place.textContent = '';
    else if (!isComplete) place.textContent = 'A measurement has 96 hexadecimal digits.';
    else
      place.textContent = isSame
        ? '✓ The same: it says that it runs the release that you expect.'
        : '✗ Another: this is not the release that you expect.';
  });
}

function item(state, text, value) {
  const made = element('li', text, ...(value ? [element('code', value)] : []));
  made.dataset.state = state;
  return made;
}

function say(state, text) {
  byId('verdict').dataset.state = state;
  byId('verdict').textContent = text;
}
