/** What holders ask the service, which may be anybody: nothing in the answers is believed without a check. */
import { type CeremonyReport, type HandIn, readReport } from '../../protocol/ceremony/hand-in.ts';
import { OperatorError } from '../operator-error.ts';
import { printable } from '../printable.ts';

export type AttestationAnswer = {
  readonly statement: string;
  readonly bootId: string;
  readonly evidence: { readonly platform: string } & Readonly<Record<string, unknown>>;
};

export const askReport = async (url: string): Promise<CeremonyReport> => reportIn(url, await ask(url, '/ceremony'));

export async function askAttestation(url: string, nonce: Buffer): Promise<AttestationAnswer> {
  const answer = (await ask(url, `/attestation?nonce=${nonce.toString('hex')}`)) as Partial<AttestationAnswer> | null;
  const { statement, bootId, evidence } = answer ?? {};
  if (typeof statement !== 'string' || typeof bootId !== 'string' || typeof evidence?.platform !== 'string')
    throw notTheService(url);
  return { statement, bootId, evidence };
}

export const sendShare = async (url: string, share: HandIn): Promise<CeremonyReport> =>
  reportIn(url, await ask(url, '/ceremony/shares', { method: 'POST', body: JSON.stringify(share) }));

function reportIn(url: string, answer: unknown): CeremonyReport {
  const report = readReport(answer);
  if (!report) throw notTheService(url);
  return report;
}

const notTheService = (url: string): OperatorError =>
  new OperatorError(`${url} answers with something else: is it Countersign, and of this version? Name it with --url`);

async function ask(url: string, path: string, options: RequestInit = {}): Promise<unknown> {
  const signal = AbortSignal.timeout(10_000);
  const response = await fetch(new URL(path, url), { ...options, signal }).catch(() => {
    throw new OperatorError(`${url} does not answer; name the service with --url`);
  });
  const answer: unknown = await response.json().catch(() => null);
  if (!response.ok) {
    const { message = 'no reason given' } = (answer ?? {}) as { message?: unknown };
    throw new OperatorError(
      `${path.split('?')[0]}: refused (${response.status}): ${printable(String(message).slice(0, 1000))}`,
    );
  }
  return answer;
}
