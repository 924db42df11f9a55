/** The package's table of contents. */
export { createPasskey, type PasskeyOptions } from '../../src/stamping/make-webauthn-stamp.ts';
export type { Registration, Stamp } from '../../src/stamping/stamp.ts';
export { apiKeyStamper } from './api-key-stamper.ts';
export { type Client, type ClientOptions, createClient } from './client.ts';
export { CountersignClientError } from './error.ts';
export { passkeyStamper, type Stamper } from './stampers.ts';
