/** The evidence of tests/vectors/attestation; its README says where each is from. */
import { readFileSync } from 'node:fs';

const read = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`../../vectors/attestation/${name}`, import.meta.url)));
const text = (name: string): string => new TextDecoder().decode(read(name));
const fromHex = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'));

export const nitro = { document: read('nitro-attestation-doc-1.bin'), at: 1665651482136 };
export const nitroDebug = { document: read('nitro-attestation-doc-debug.bin'), at: 1665582606081 };
export const nitroDebug2 = {
  document: new Uint8Array(Buffer.from(text('nitro-attestation-doc-2.b64'), 'base64')),
  at: 1695049410860,
};

/** Debugging is allowed by its policy. */
export const sevSnp = {
  evidence: {
    report: read('sev-snp-report-milan.bin'),
    vcek: read('sev-snp-vcek-milan.der'),
    chain: text('sev-snp-ask-ark-milan.pem'),
  },
  at: Date.parse('2024-01-01T00:00:00Z'),
};

/** The published file goes on with a text that is no part of the quote. */
export const tdxSpr = { file: read('tdx-quote-v4-spr.bin'), size: 4935, at: Date.parse('2024-01-01T00:00:00Z') };
/** The same with zeros. */
export const tdx = { file: read('tdx-quote-v4-dcap-qvl.bin'), size: 4936, at: Date.parse('2025-07-01T00:00:00Z') };

const quote = JSON.parse(text('tpm2-quote-swtpm.json'));
export const tpm2 = {
  evidence: {
    quoted: fromHex(quote.quoted),
    signature: fromHex(quote.signature),
    publicKey: fromHex(quote.publicKey),
    pcrs: { 11: fromHex(quote.pcrs[11]) },
  },
  reportData: fromHex(quote.reportData),
};
