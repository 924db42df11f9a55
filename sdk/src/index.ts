/** The package's table of contents. */
export { createPasskey, type PasskeyOptions } from '../../src/stamping/make-webauthn-stamp.ts';
export type { Registration, Stamp } from '../../src/stamping/stamp.ts';
export { apiKeyStamper } from './api-key-stamper.ts';
export { type Client, type ClientOptions, createClient } from './client.ts';
export { CountersignClientError } from './error.ts';
export { type ForwardOptions, forward } from './forward.ts';
export { type KeyStore, openKeyStore } from './key-store.ts';
export { checkLogin, type Login, stampLogin } from './login.ts';
export type { Stamped } from './send.ts';
export { createSessionKey, deleteSessionKey, findSessionKey, type SessionKey, sessionStamper } from './session-key.ts';
export { passkeyStamper, type Stamper } from './stampers.ts';
