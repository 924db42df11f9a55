import { base64 } from '@scure/base';
import { refuse } from './evidence-error.ts';

const begin = '-----BEGIN CERTIFICATE-----\n';
const end = '\n-----END CERTIFICATE-----\n';

/** The certificates (DER) of a PEM text in its one strict form (RFC 7468 §3): lines of 64 characters, and nothing else. */
export function readPemCertificates(text: string): Uint8Array[] {
  const parts = text.split(begin);
  if (parts.shift() !== '' || parts.length === 0) malformed();
  return parts.map((part) => {
    if (!part.endsWith(end)) malformed();
    const body = part.slice(0, -end.length);
    const der = decode(body.replaceAll('\n', ''));
    if (base64.encode(der).replace(/.{64}(?!$)/g, '$&\n') !== body) malformed();
    return der;
  });
}

function decode(text: string): Uint8Array {
  try {
    return base64.decode(text);
  } catch {
    return malformed();
  }
}

const malformed = (): never =>
  refuse('MALFORMED', 'certificates: expected PEM with lines of 64 characters and nothing else');
