/** What holders ask the service, which may be anybody: nothing in the answers is believed without a check. */
import type { CeremonyReport, HandIn } from '../../protocol/ceremony/hand-in.ts';
import { OperatorError } from '../operator-error.ts';

export type AttestationAnswer = {
  readonly statement: string;
  readonly bootId: string;
  readonly evidence: { readonly platform: string } & Readonly<Record<string, unknown>>;
};

export const askReport = (url: string): Promise<CeremonyReport> => ask(url, '/ceremony');

export const askAttestation = (url: string, nonce: Buffer): Promise<AttestationAnswer> =>
  ask(url, `/attestation?nonce=${nonce.toString('hex')}`);

export const sendShare = (url: string, share: HandIn): Promise<CeremonyReport> =>
  ask(url, '/ceremony/shares', { method: 'POST', body: JSON.stringify(share) });

async function ask<T>(url: string, path: string, options: RequestInit = {}): Promise<T> {
  const signal = AbortSignal.timeout(10_000);
  const response = await fetch(new URL(path, url), { ...options, signal }).catch(() => {
    throw new OperatorError(`${url} does not answer; name the service with --url`);
  });
  const answer = (await response.json().catch(() => ({}))) as T & { message?: string };
  if (!response.ok)
    throw new OperatorError(
      `${path.split('?')[0]}: refused (${response.status}): ${answer.message ?? 'no reason given'}`,
    );
  return answer;
}
