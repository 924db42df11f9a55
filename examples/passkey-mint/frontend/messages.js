/** Errors in words for the person in front of the page. */

const ofBrowser = {
  NotAllowedError: 'You cancelled, or the browser gave up waiting. Nothing was signed.',
  InvalidStateError: 'This device has a passkey of yours already. Use another device or a security key.',
  SecurityError: 'The browser allows no passkeys on this page.',
  NotSupportedError: 'This device cannot make a passkey of the kind that is needed.',
};

export const noPasskeys = 'This browser has no passkeys. Please use a current browser, over https or on localhost.';

export function explain({ name, kind, message }) {
  if (kind) return message;
  if (name in ofBrowser) return ofBrowser[name];
  if (name === 'TypeError') return 'The application does not answer. Nothing is lost: try again in a moment.';
  return message;
}

/** Whether the same stamped bytes are worth another try. */
export const isPassing = ({ name, kind }) => kind === 'chain' || kind === 'internal' || name === 'TypeError';
