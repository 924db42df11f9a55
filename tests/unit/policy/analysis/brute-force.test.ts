import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Answer } from '../../../../src/policy/analysis/ask.ts';
import { can, compileQuestion } from '../../../../src/policy/analysis/can.ts';
import { compare } from '../../../../src/policy/analysis/compare.ts';
import { findUnused } from '../../../../src/policy/analysis/unused.ts';
import type { DecisionRequest } from '../../../../src/policy/decide-policies.ts';
import type { PolicySource } from '../../../../src/policy/policy-set.ts';
import { decider, everyRequest, inWorld, randomExpression, randomSources } from './small-world.ts';

const timeLimit = 10_000;
const answers = { yes: 0, no: 0 };

/** Every request is decided: what the solver says has to be so, and it has to say something. */
function expectAnswer({ answer }: Answer, isThere: boolean): void {
  expect(answer).toBe(isThere ? 'yes' : 'no');
  answers[isThere ? 'yes' : 'no']++;
}

/** Always the same cases, by which the test knows what it covers, and then a few others. */
async function assertOf<Ts>(property: fc.IAsyncProperty<Ts>, numRuns: number): Promise<void> {
  await fc.assert(property, { numRuns, seed: 4 });
  await fc.assert(property, { numRuns: Math.ceil(numRuns / 3) });
}

const among = (requests: readonly DecisionRequest[], ...tests: readonly ((request: DecisionRequest) => boolean)[]) =>
  requests.some((request) => tests.every((holds) => holds(request)));

const refuses = (allows: (request: DecisionRequest) => boolean) => (request: DecisionRequest) => !allows(request);

test('comparisons say what deciding every request says', { timeout: 300_000 }, async () => {
  const property = fc.asyncProperty(randomSources, randomSources, async (before, after) => {
    const [first, second] = [inWorld(before), inWorld(after)];
    const { looser, stricter } = await compare(first, second, timeLimit);
    const [allowedBefore, allowedAfter] = [decider(first), decider(second)];
    expectAnswer(looser, among(everyRequest, allowedAfter, refuses(allowedBefore)));
    expectAnswer(stricter, among(everyRequest, allowedBefore, refuses(allowedAfter)));
  });
  await assertOf(property, 12);
  expect(answers.yes).toBeGreaterThan(5);
  expect(answers.no).toBeGreaterThan(3);
});

test('so do questions about what can be done', { timeout: 300_000 }, async () => {
  const property = fc.asyncProperty(
    randomSources,
    randomExpression,
    randomExpression,
    async (sources, what, unless) => {
      const policies = inWorld(sources);
      const [x, y] = [compileQuestion(what), compileQuestion(unless)];
      const found = await can(policies, x, y, timeLimit);
      const allowed = decider(policies);
      const isTrue =
        ({ program }: typeof x) =>
        ({ facts }: DecisionRequest): boolean => {
          try {
            return program(facts) === true;
          } catch {
            return false;
          }
        };
      const isRoot = ({ rootQuorum }: DecisionRequest): boolean => rootQuorum.userIds.length > 0;
      const asked = everyRequest.filter((request) => isTrue(x)(request) && !isTrue(y)(request));
      expectAnswer(found.policies, among(asked, refuses(isRoot), allowed));
      expectAnswer(found.rootQuorum, among(asked, isRoot, allowed));
    },
  );
  await assertOf(property, 10);
});

test('a policy is useful where some request is decided otherwise without it', { timeout: 300_000 }, async () => {
  const verdicts = new Set<string>();
  const property = fc.asyncProperty(randomSources, async (sources) => {
    const policies = inWorld(sources);
    const findings = await findUnused(policies, timeLimit);
    const allowed = decider(policies);
    for (const [index, { verdict }] of findings.entries()) {
      const without = decider(policies.filter((_, other) => other !== index));
      const matters = everyRequest.some((request) => allowed(request) !== without(request));
      verdicts.add(verdict);
      // What bounds the world stops what is outside of it.
      if (index >= 2) expect(verdict === 'used').toBe(matters);
      expect(verdict).not.toBe('unknown');
    }
  });
  await assertOf(property, 8);
  expect(verdicts.size).toBeGreaterThan(2);
});

const policy = (id: string, effect: PolicySource['effect'], condition: string): PolicySource => ({
  id,
  effect,
  condition,
});

test('the reason why a policy makes no difference is named', { timeout: 120_000 }, async () => {
  const sources = [
    policy('pay', 'EFFECT_ALLOW', 'eth.tx.value <= 2'),
    policy('less', 'EFFECT_ALLOW', 'eth.tx.value <= 1 && eth.tx.nonce >= 1'),
    policy('typo', 'EFFECT_ALLOW', "activity.kind == 'SIGN_TX'"),
    policy('stopped', 'EFFECT_ALLOW', "wallet.id == 'frozen'"),
    policy('frozen', 'EFFECT_DENY', "wallet.id == 'frozen'"),
    policy('frozen too', 'EFFECT_DENY', "wallet.id in ['frozen'] && eth.tx.nonce == 1"),
    policy('nobody may', 'EFFECT_DENY', "wallet.id == 'other' && eth.tx.value > 2"),
  ];
  const findings = await findUnused(inWorld(sources), timeLimit);
  expect(findings.slice(2).map(({ policyId, verdict }) => [policyId, verdict])).toEqual([
    ['pay', 'used'],
    ['less', 'redundant'],
    ['typo', 'never-matches'],
    ['stopped', 'shadowed'],
    ['frozen', 'used'],
    ['frozen too', 'redundant'],
    ['nobody may', 'redundant'],
  ]);
});
