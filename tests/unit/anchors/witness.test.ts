/** A witness that is pinned and malicious: what it answers must not spoil the checkpoint that goes to users. */
import { createSecretKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { type WitnessPort, witnessAnchor } from '../../../src/enclave/anchors/witness.ts';
import { genesis } from '../../../src/enclave/ledger/boot.ts';
import { createCheckpointSigner } from '../../../src/enclave/ledger/checkpoint.ts';
import { parseNote, parseVerifierKey, verifyNote } from '../../../src/protocol/log/signed-note.ts';
import { parseWitnessPolicy } from '../../../src/protocol/witness-policy.ts';
import { witnessKey } from '../../../src/witness/key.ts';

const makeKey = (name: string) => witnessKey(name, generateKeyPairSync('ed25519').privateKey);
const [one, two] = [makeKey('one'), makeKey('two')];
const policy = parseWitnessPolicy(
  [
    ...[one, two].map(({ name, verifierKey }) => `witness ${name} ${verifierKey} http://${name}.example`),
    'group both 2 one two',
    'quorum both',
  ].join('\n'),
);
const now = () => Math.floor(Date.now() / 1000);

const signer = createCheckpointSigner(createSecretKey(randomBytes(32)));
const state = genesis(signer, Buffer.alloc(32), Date.now());

/** Until somebody has to be waited for; null once a quorum has cosigned. */
async function confirmed(second: (checkpoint: string) => string): Promise<string | null> {
  const port: WitnessPort = async ({ url, checkpoint }) => {
    const body = url.includes('one') ? one.cosign(parseNote(checkpoint).text, now()) : second(checkpoint);
    return { status: 200, body };
  };
  const anchor = witnessAnchor(policy, port, Date.now);
  const done = anchor.confirm(state).then(async ({ checkpoint }) => {
    // As a client does that knows the witnesses: one wrong signature spoils the note.
    await verifyNote(
      parseNote(checkpoint),
      [one, two].map(({ verifierKey }) => parseVerifierKey(verifierKey)),
    );
    return null;
  });
  return Promise.race([done, sleep(300).then(() => anchor.waitsFor())]);
}

test('cosignatures of a quorum go into the checkpoint', async () => {
  expect(await confirmed((checkpoint) => two.cosign(parseNote(checkpoint).text, now()))).toBeNull();
});

test('a signature of a longer text, which begins with the checkpoint, is none of the checkpoint', async () => {
  const more = '\nmore\n';
  expect(await confirmed((checkpoint) => `${more}\n${two.cosign(checkpoint + more, now())}`)).toMatch(
    /^FRESHNESS_UNAVAILABLE: .*two answered with more than signatures$/,
  );
});
