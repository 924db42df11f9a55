/** Chains of certificates (RFC 5280 §6.1) up to a root that is pinned by its digest. */
import { sha256 } from '@noble/hashes/sha2.js';
import { equalBytes } from '../../../src/protocol/log/tree.ts';
import { hex } from './bytes.ts';
import type { Certificate } from './certificate.ts';
import { refuse } from './evidence-error.ts';
import { joinDerSignature, verifyEcdsa, verifyRsaPss } from './signature.ts';

/** Of AWS's, the longest, it is 5. */
const maxLength = 10;

type Verify = (issuerKey: Uint8Array, signature: Uint8Array, signed: Uint8Array) => Promise<boolean>;

/** By AlgorithmIdentifier: ecdsa-with-SHA256 on P-256, ecdsa-with-SHA384 on P-384, RSASSA-PSS with SHA-384. */
const algorithms: Readonly<Record<string, Verify>> = {
  '300a06082a8648ce3d040302': (spki, signature, signed) =>
    verifyEcdsa('P-256', { spki }, joinDerSignature(signature, 'P-256'), signed),
  '300a06082a8648ce3d040303': (spki, signature, signed) =>
    verifyEcdsa('P-384', { spki }, joinDerSignature(signature, 'P-384'), signed),
  '304606092a864886f70d01010a3039a00f300d06096086480165030402020500a11c301a06092a864886f70d010108300d06096086480165030402020500a203020130a303020101':
    verifyRsaPss,
};

/**
 * Verifies a chain, leaf first, at `at` (Unix ms): it ends in the certificate with the SHA-256 `root` (hex), each is signed by
 * the next, which is an authority that may. Throws an `EvidenceError`. Nothing is revoked here: `notChecked` of results says so.
 */
export async function verifyChain(chain: readonly Certificate[], root: string, at: number): Promise<void> {
  if (chain.length > maxLength)
    refuse('BAD_CHAIN', `the chain has ${chain.length} certificates, at most ${maxLength} are looked at`);
  const last = chain.at(-1);
  if (!last || hex(sha256(last.der)) !== root) {
    refuse('UNKNOWN_ROOT', `the chain does not end in the manufacturer's root (SHA-256 ${root})`);
  }
  for (const [index, certificate] of chain.entries()) {
    const issuer = chain[index + 1];
    assertValidAt(certificate, index, at);
    assertRights(certificate, index);
    if (!issuer) continue;
    if (!equalBytes(certificate.issuer, issuer.subject)) badChain(index, 'names another issuer than the next');
    const verify = algorithms[certificate.signatureAlgorithm];
    if (!verify) return badChain(index, 'is signed by an algorithm that no chain here uses');
    if (!(await verify(issuer.publicKey, certificate.signature, certificate.signed))) {
      badChain(index, 'is not signed by the next');
    }
  }
}

function assertValidAt({ notBefore, notAfter }: Certificate, index: number, at: number): void {
  const iso = (time: number) => new Date(time).toISOString();
  if (at < notBefore) {
    refuse('CERTIFICATE_NOT_YET_VALID', `certificate ${index} is valid from ${iso(notBefore)}, not at ${iso(at)}`);
  }
  if (at > notAfter)
    refuse('CERTIFICATE_EXPIRED', `certificate ${index} was valid until ${iso(notAfter)}, not at ${iso(at)}`);
}

/** Certificate `index` of a chain has `index − 1` authorities between it and the leaf. */
function assertRights({ isAuthority, maySignCertificates, pathLength }: Certificate, index: number): void {
  if (index === 0) {
    if (isAuthority) badChain(index, 'is an authority, and no key of an enclave');
    return;
  }
  if (!isAuthority || !maySignCertificates) badChain(index, 'is no authority');
  if (pathLength !== null && index - 1 > pathLength)
    badChain(index, `has more than ${pathLength} authorities below it`);
}

const badChain = (index: number, what: string): never => refuse('BAD_CHAIN', `certificate ${index} ${what}`);
