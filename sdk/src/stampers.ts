import { makeWebauthnStamp, type WebauthnStampOptions } from '../../src/stamping/make-webauthn-stamp.ts';
import type { Stamp } from '../../src/stamping/stamp.ts';

/** Makes the header that proves who sends `body`, which is sent byte for byte as it was stamped. */
export type Stamper = (body: string) => Stamp | Promise<Stamp>;

/**
 * Asks for the user's passkey at each request; needs a page of `rpId`. The call rejects with the browser's
 * `NotAllowedError` when the user declines.
 */
export const passkeyStamper =
  (options: WebauthnStampOptions): Stamper =>
  (body) =>
    makeWebauthnStamp(body, options);
