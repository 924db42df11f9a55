/** `countersign verify`: says of a receipt, step by step, whether it proves what it says. Needs no service. */
import { randomBytes } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { EvidenceError } from '../../sdk/src/attestation/evidence-error.ts';
import { type PlatformEvidence, verifyEvidence } from '../../sdk/src/attestation/verify-evidence.ts';
import { resultIn } from '../../sdk/src/verify/result-in.ts';
import type { Step } from '../../sdk/src/verify/step.ts';
import { type Expectations, type Verification, verifyReceipt } from '../../sdk/src/verify/verify-receipt.ts';
import type { PolicyObject } from '../protocol/queries/objects.ts';
import { faint, green, red } from './colour.ts';
import { OperatorError } from './operator-error.ts';
import { printable } from './printable.ts';

export const verifyHelp = `usage: countersign verify RECEIPT [--body FILE] [--payload TEXT] [--signature HEX] [--policy FILE]
                         [--log-key KEY] [--attestation FILE|URL] [--measurement HEX]... [--json]

Says what a receipt proves: who stamped, what was decided by which policy, what was signed, where it is in the log, and which
enclave signed for it. RECEIPT is a file with a receipt in CBOR or base64url, or an answer of the service in JSON (- is the
standard input). What is not given to compare with is said, and marked with a dot.

  --body FILE         the request's body, exactly as it was stamped
  --payload TEXT      what was to be signed, as the request has it; @FILE reads it from a file
  --signature HEX     r, s and v one after another, or the signed transaction; @FILE reads it from a file
  --policy FILE       all policies of the organization at that time: an answer of list_policies
  --log-key KEY       verifier key of the log, from a source that you trust (GET /health of the service shows it)
  --attestation FILE  an answer of GET /attestation, or the URL of the service to ask now: which platform vouches for the
                      enclave. A file counts as of when it was written
  --measurement HEX   the enclave's code that you accept, as countersign measure prints it; may be repeated
  --json              one JSON object in place of the text

Exits with 0 where nothing failed, which without --log-key proves nothing, and with 1 where something did. docs/receipts.md has
the format.`;

const options = {
  body: { type: 'string' },
  payload: { type: 'string' },
  signature: { type: 'string' },
  policy: { type: 'string' },
  'log-key': { type: 'string' },
  attestation: { type: 'string' },
  measurement: { type: 'string', multiple: true },
  json: { type: 'boolean' },
} as const;

type AttestationStep = { readonly name: 'attestation'; readonly ok: boolean | null; readonly words: string };

/** Prints the steps and sets the exit code. Throws `OperatorError`. */
export async function verify(args: readonly string[]): Promise<void> {
  const { ok, text } = await verifyFiles(args);
  process.stdout.write(`${text}\n`);
  process.exitCode = ok ? 0 : 1;
}

/** Throws `OperatorError` for files that are not what they should be. */
export async function verifyFiles(args: readonly string[]): Promise<{ readonly ok: boolean; readonly text: string }> {
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
  const [file, ...more] = positionals;
  if (file === undefined || more.length > 0) throw new OperatorError(verifyHelp);
  const { receipt, result } = readReceiptFile(read(file));
  const attested = values.attestation === undefined ? undefined : await readAttestation(values.attestation);
  const expected: Expectations = {
    ...(values.body !== undefined && { body: read(values.body) }),
    ...(values.payload !== undefined && { payload: textOf(values.payload) }),
    ...(values.signature !== undefined && { signature: hexOf(textOf(values.signature)) }),
    ...(values.policy !== undefined && { policies: policiesOf(values.policy) }),
    ...(values['log-key'] !== undefined && { logKey: values['log-key'] }),
    ...(values.measurement && { measurements: values.measurement.map((text) => text.toLowerCase()) }),
    ...(attested && { knownStatement: attested.statement }),
    ...(result !== undefined && { result }),
  };
  const verification = await verifyReceipt(receipt, expected);
  const steps = [...verification.steps, ...(attested ? [await attestationStep(attested)] : [])];
  const ok = steps.every((step) => step.ok !== false);
  return { ok, text: values.json ? toJson(ok, steps, verification) : toText(ok, steps) };
}

function toText(ok: boolean, steps: readonly (Step | AttestationStep)[]): string {
  const lines = steps.map(({ name, ok, words }) => {
    const [mark, paint] = ok === null ? ['·', faint] : ok ? ['✓', green] : ['✗', red];
    const text = printable(words);
    return `${paint(mark)} ${name.padEnd(12)}${ok === false ? red(text) : text}`;
  });
  const compared = steps.filter((step) => step.ok !== null).length;
  const isKnownLog = steps.some(({ name, ok }) => ok && name === 'checkpoint');
  const verdict = !ok
    ? red('refused: this receipt does not prove it')
    : isKnownLog
      ? green(`verified: ${compared} of ${steps.length} steps held, the others had nothing to be compared with`)
      : 'nothing failed, but anybody could have made this receipt: give --log-key to know whose log it is';
  return [...lines, '', verdict].join('\n');
}

const toJson = (ok: boolean, steps: readonly (Step | AttestationStep)[], { claims }: Verification): string =>
  JSON.stringify({ ok, steps, claims }, (_, value) =>
    value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value,
  );

/** CBOR, base64url, or JSON, which carries the activity's result as well. */
function readReceiptFile(bytes: Buffer): { receipt: Uint8Array | string; result?: unknown } {
  const text = bytes.toString('latin1').trim();
  if (/^[A-Za-z0-9_-]+$/.test(text)) return { receipt: text };
  if (!text.startsWith('{')) return { receipt: bytes };
  const { receipt, activity } = parseJson(bytes.toString(), 'the receipt') as {
    receipt?: unknown;
    activity?: { result?: object };
  };
  if (typeof receipt !== 'string') throw new OperatorError('this answer carries no receipt');
  const result = resultIn(activity?.result ?? {});
  return { receipt, ...(result !== undefined && { result }) };
}

function policiesOf(file: string): readonly PolicyObject[] {
  const json = parseJson(read(file).toString(), file) as { policies?: unknown };
  const list = Array.isArray(json) ? json : json.policies;
  if (Array.isArray(list) && list.every((policy) => typeof policy?.policyId === 'string' && policy.createdAt))
    return list;
  throw new OperatorError(`${file}: expected policies as list_policies answers with them`);
}

type Attested = {
  /** base64url. */
  readonly statement: string;
  readonly evidence: PlatformEvidence;
  readonly nonce: Uint8Array;
  /** Unix ms. */
  readonly at: number;
};

async function readAttestation(source: string): Promise<Attested> {
  const isUrl = /^https?:\/\//.test(source);
  const nonce = isUrl ? randomBytes(32) : new Uint8Array();
  const text = isUrl ? await ask(source, nonce) : read(source).toString();
  const { statement, evidence } = parseJson(text, source) as Partial<Attested>;
  if (typeof statement !== 'string' || typeof evidence?.platform !== 'string') {
    throw new OperatorError(`${source} has no statement and evidence: expected an answer of GET /attestation`);
  }
  return { statement, evidence, nonce, at: isUrl || source === '-' ? Date.now() : statSync(source).mtimeMs };
}

async function ask(url: string, nonce: Uint8Array): Promise<string> {
  const base = url.replace(/\/+$/, '').replace(/\/attestation$/, '');
  const response = await fetch(`${base}/attestation?nonce=${Buffer.from(nonce).toString('hex')}`).catch(() => null);
  if (!response?.ok) throw new OperatorError(`${base} does not answer with an attestation`);
  return response.text();
}

async function attestationStep({ statement, evidence, nonce, at }: Attested): Promise<AttestationStep> {
  const step = (ok: boolean | null, words: string): AttestationStep => ({ name: 'attestation', ok, words });
  try {
    const proven = await verifyEvidence(Buffer.from(statement, 'base64url'), evidence, nonce, { at });
    if (!proven) return step(null, 'no platform vouches for this enclave: that it runs this code, its operator says');
    const registers = Object.entries(proven.measurements).map(([name, value]) => `${name} ${value}`);
    const { key } = proven.details;
    if (proven.platform === 'tpm2') {
      const words = `the key ${key} vouches for this enclave: ${registers.join(', ')}; whether it is the one of that machine's TPM nobody looked`;
      return step(null, words);
    }
    return step(true, `${proven.platform} vouches for this enclave: ${registers.join(', ')}`);
  } catch (error) {
    if (error instanceof EvidenceError) return step(false, error.message);
    throw error;
  }
}

const textOf = (value: string): string => (value.startsWith('@') ? read(value.slice(1)).toString() : value);

function hexOf(text: string): string {
  const hex = text.trim();
  if (/^(?:0x)?(?:[0-9a-f]{2})+$/i.test(hex)) return hex;
  throw new OperatorError('--signature: expected hex: r, s and v one after another, or the signed transaction');
}

function read(file: string): Buffer {
  try {
    return readFileSync(file === '-' ? 0 : file);
  } catch (error) {
    throw new OperatorError(`cannot read ${file}: ${(error as Error).message}`);
  }
}

function parseJson(text: string, what: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // As below.
  }
  throw new OperatorError(`${what} is no JSON object`);
}
