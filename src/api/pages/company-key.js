import { apiKeyStamper } from '../../../sdk/src/api-key-stamper.ts';

/** The company's credentials in the text of a root.json; its key is kept in the closure of `stamp`. Throws in words for the reader. */
export function readCompany(text) {
  let root;
  try {
    root = JSON.parse(text);
  } catch {
    throw new Error('This is not JSON. Expected what is in root.json.');
  }
  const missing = ['organizationId', 'apiPublicKey', 'apiPrivateKey'].filter(
    (name) => typeof root?.[name] !== 'string',
  );
  if (missing.length) throw new Error(`Expected a root.json; ${missing.join(', ')} is missing.`);
  const { organizationId, apiPublicKey, apiPrivateKey, rpId = location.hostname } = root;
  const stamp = apiKeyStamper({ publicKey: apiPublicKey, privateKey: apiPrivateKey });
  return { organizationId, apiPublicKey, rpId, stamp };
}
