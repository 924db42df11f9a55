/** The page: what is shown when, and which function a button is for. */
import { isAddress } from 'viem';
import { backend } from './backend.js';
import { explain, isPassing, noPasskeys } from './messages.js';
import { addPasskey, addRule, register, removeRule, signIn, stampMint } from './passkey.js';

const $ = (id) => document.getElementById(id);

/** Who is signed in, as `GET /api/me` has it. */
let me;

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

const say = (text) => {
  $('status').textContent = text;
};

/** Runs `work` when the form is sent: one at a time, and what goes wrong is said in the form. */
function onSubmit(id, work) {
  const form = $(id);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void attempt(form, () => work(form));
  });
}

async function attempt(form, work) {
  const alert = form.querySelector('.alert');
  const buttons = [...document.querySelectorAll('button')];
  if (form.ariaBusy === 'true') return;
  form.ariaBusy = 'true';
  alert.hidden = true;
  for (const button of buttons) button.disabled = true;
  try {
    if (!window.PublicKeyCredential) throw new Error(noPasskeys);
    await work();
  } catch (error) {
    say('');
    alert.replaceChildren(explain(error), ...(error.reason ? [element('pre', {}, error.reason)] : []));
    alert.hidden = false;
    if (error.kind === 'signed-out' && me) await show();
  } finally {
    form.ariaBusy = 'false';
    for (const button of buttons) button.disabled = false;
  }
}

/** Reads who is signed in, and shows what there is for them. */
async function show() {
  const before = me;
  me = await backend.me().catch((error) => {
    if (error.kind === 'signed-out') return undefined;
    throw error;
  });
  $('welcome').hidden = me !== undefined;
  $('account').hidden = $('who').hidden = me === undefined;
  if (me) showAccount(before?.userId !== me.userId);
  if (before?.userId !== me?.userId) $(me ? 'account-title' : 'welcome-title').focus();
  if (me) await showHistory();
}

function showAccount(isNew) {
  const { email, address, balance, tokens, rules, passkeys } = me;
  $('email').textContent = email;
  $('address').textContent = address;
  $('balance').textContent = balance === null ? 'the chain does not answer' : `${Number(balance) / 1e18} ETH`;
  $('count').textContent = tokens === null ? 'the chain does not answer' : String(tokens.length);
  $('tokens').replaceChildren(...(tokens ?? []).map(tokenTile));
  $('rules').replaceChildren(...rules.map(ruleItem));
  $('passkeys').replaceChildren(...passkeys.map(({ name }) => element('li', {}, name)));
  if (isNew) {
    $('destination').value = address;
    $('steps').hidden = $('retry').hidden = true;
  }
}

function tokenTile(id) {
  const tile = element('li', {}, `#${id}`);
  tile.style.setProperty('--hue', String((id * 47) % 360));
  return tile;
}

function ruleItem({ policyId, name }) {
  const remove = element('button', { className: 'quiet', type: 'button', ariaLabel: `Remove: ${name}` }, 'Remove');
  remove.addEventListener('click', () =>
    attempt($('rule'), async () => {
      await removeRule(me, policyId);
      say('The rule is removed.');
      await show();
    }),
  );
  return element('li', { className: 'inline' }, element('span', {}, name), remove);
}

async function showHistory() {
  const activities = await backend.history().catch(() => []);
  $('history').replaceChildren(...activities.map(historyItem));
}

const names = {
  ACTIVITY_TYPE_SIGN_USER_OPERATION_INTENT: 'Mint signed',
  ACTIVITY_TYPE_CREATE_AUTHENTICATORS_V2: 'Passkey added',
  ACTIVITY_TYPE_CREATE_POLICY_V3: 'Rule added',
  ACTIVITY_TYPE_DELETE_POLICY: 'Rule removed',
  ACTIVITY_TYPE_CREATE_SUB_ORGANIZATION_V8: 'Account created',
};

function historyItem({ id, type, status, at }) {
  const time = element('time', { dateTime: new Date(at).toISOString() }, new Date(at).toLocaleString());
  const outcome =
    status === 'ACTIVITY_STATUS_COMPLETED' ? '' : ` (${status.slice('ACTIVITY_STATUS_'.length).toLowerCase()})`;
  const why = element('pre', {}, 'asking Countersign…');
  const details = element(
    'details',
    {},
    element('summary', {}, `${names[type] ?? type}${outcome}, `, time),
    element('p', {}, 'Activity ', element('code', {}, id)),
    why,
  );
  details.addEventListener(
    'toggle',
    async () => {
      const answer = await backend.explain(id).catch((error) => ({ text: explain(error) }));
      why.textContent = answer.text;
    },
    { once: true },
  );
  return element('li', {}, details);
}

// Minting.

const stepNames = [...$('steps').children].map(({ dataset }) => dataset.step);
/** The stamped mint that may be tried again. */
let pending;

/** Everything up to `done` is done, and the next one is being worked on. */
function showStep(done, next = 'now') {
  const reached = stepNames.indexOf(done);
  for (const [index, item] of [...$('steps').children].entries()) {
    item.dataset.state = index <= reached ? 'done' : index === reached + 1 ? next : 'waiting';
  }
  $('steps').hidden = false;
}

async function carryOut(stamped) {
  let done = 'stamped';
  showStep(done);
  $('retry').hidden = true;
  try {
    await backend.mint(stamped, ({ step }) => {
      done = step;
      showStep(step);
      say(`${$('steps').querySelector(`[data-step=${step}]`).textContent}.`);
    });
  } catch (error) {
    showStep(done, 'failed');
    pending = isPassing(error) ? stamped : undefined;
    $('retry').hidden = pending === undefined;
    throw error;
  }
  pending = undefined;
  await show();
}

onSubmit('mint', async () => {
  const [amount, destination] = [Number($('amount').value), $('destination').value.trim()];
  if (!Number.isInteger(amount) || amount < 1 || amount > 10) throw new Error('Please choose an amount from 1 to 10.');
  if (!isAddress(destination)) throw new Error('The destination is no Ethereum address.');
  $('steps').hidden = $('retry').hidden = true;
  say('Waiting for your passkey…');
  await carryOut(await stampMint(me, { amount, destination }));
});

$('retry').addEventListener('click', () => attempt($('mint'), () => carryOut(pending)));

onSubmit('register', async () => {
  const email = $('register-email').value.trim();
  if (!$('register-email').checkValidity()) throw new Error('Please write an e-mail address, such as ada@example.com.');
  say('Waiting for your new passkey…');
  await register(email);
  say('Your account is made. Touch once more to sign in.');
  await signIn();
  say('You are signed in.');
  await show();
});

onSubmit('sign-in', async () => {
  say('Waiting for your passkey…');
  await signIn();
  say('You are signed in.');
  await show();
});

onSubmit('rule', async () => {
  const perDay = Number($('per-day').value);
  if (!Number.isInteger(perDay) || perDay < 0 || perDay > 100) throw new Error('Please choose a number from 0 to 100.');
  await addRule(me, perDay);
  say('The rule holds from now on.');
  await show();
});

onSubmit('add-passkey', async () => {
  say('First make the new passkey, then confirm with one that you have.');
  await addPasskey(me);
  say('The passkey is added.');
  await show();
});

$('log-out').addEventListener('click', async () => {
  await backend.logOut();
  say('You are signed out.');
  await show();
});

show().catch((error) => say(explain(error)));
