import { expect, test } from 'vitest';
import { compileCondition, conditionProblem, holds, mayHold } from '../../../src/policy/condition.ts';
import type { Facts } from '../../../src/policy/values.ts';

const facts = (more: object = {}): Facts =>
  ({ activity: { kind: 'SIGN_TRANSACTION', type: 'T', resource: 'PRIVATE_KEY', action: 'SIGN' }, ...more }) as Facts;
const both = (source: string, given = facts()) => {
  const condition = compileCondition(source);
  return [holds(condition, given), mayHold(condition, given)];
};

test('a condition that is true or false is that, in either language', () => {
  expect(both("activity.action == 'SIGN'")).toEqual([true, true]);
  expect(both("activity.action == 'EXPORT'")).toEqual([false, false]);
  expect(both("activity.action in ['SIGN', 'EXPORT'] ? true : false")).toEqual([true, true]);
  expect(both('true')).toEqual([true, true]);
});

test('an error is never true, and may be', () => {
  expect(both("activity.type[0..99] == 'x'")).toEqual([false, true]);
  expect(both('1 / (activity.kind.size() - 16) == 0')).toEqual([false, true]);
});

test('what names a namespace that is not there neither is nor may be', () => {
  expect(both('eth.tx.value > 5')).toEqual([false, false]);
  expect(both('eth.tx.value > 5', facts({ eth: { tx: { value: 6n } } }))).toEqual([true, true]);
});

test('a mistake is told with its place', () => {
  expect(conditionProblem("activity.action == 'SIGN'")).toBeNull();
  expect(conditionProblem('activity.actoin == 1')).toMatch(/^1:10: [\s\S]*action/);
  expect(conditionProblem('approvers.count() > 1')).toMatch(/^1:1: /);
});
