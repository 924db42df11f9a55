/** Calls of the application's own backend. */

/** What the backend said went wrong; `kind` is one of backend/app-error.ts. */
export class BackendError extends Error {
  constructor({ kind, message, reason }) {
    super(message);
    this.kind = kind;
    this.reason = reason;
  }
}

const post = (body) => ({
  method: 'POST',
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify(body),
});

async function call(path, options) {
  const response = await fetch(`/api/${path}`, options);
  const answer = await response.json();
  if (answer.error) throw new BackendError(answer.error);
  return answer;
}

export const backend = {
  register: (email, registration) => call('register', post({ email, registration })),
  challenge: () => call('challenge', post({})),
  logIn: (stamped) => call('login', post(stamped)),
  logOut: () => call('logout', post({})),
  me: () => call('me'),
  history: () => call('history'),
  explain: (activity) => call(`explanation?${new URLSearchParams({ activity })}`),
  terms: () => call('terms'),
  forward: (method, stamped) => call(`forward?${new URLSearchParams({ method })}`, post(stamped)),

  /** Has a stamped mint carried out; tells each step as it is done. The same `stamped` may be given again. */
  async mint(stamped, onStep) {
    const response = await fetch('/api/mint', post(stamped));
    if (!response.ok) throw new BackendError((await response.json()).error);
    for await (const line of linesOf(response.body)) {
      const step = JSON.parse(line);
      if (step.error) throw new BackendError(step.error);
      onStep(step);
      if (step.step === 'included') return;
    }
    throw new TypeError('the connection ended');
  },
};

async function* linesOf(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { value = '', done } = await reader.read();
    const lines = (rest + value).split('\n');
    rest = lines.pop();
    yield* lines;
    if (done) return;
  }
}
