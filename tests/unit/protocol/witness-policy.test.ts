import { describe, expect, test } from 'vitest';
import { isQuorum, parseWitnessPolicy } from '../../../src/protocol/witness-policy.ts';
import { makeWitness } from '../../support/witnesses.ts';

const lines: string[] = [];
for (const name of ['w1', 'w2', 'w3']) {
  const witness = await makeWitness(name);
  lines.push(`witness ${name} ${witness.verifierKey} https://${name}.example/add`);
  await witness.remove();
}
const [w1, w2, _w3] = lines as [string, string, string];
const all = lines.join('\n');

test('two of three, with comments, tabs and empty lines', () => {
  const policy = parseWitnessPolicy(`# ours\n\n${all}\n\tgroup both 2 \t w1 w2 w3 \nquorum both\n`);
  expect(policy.witnesses.map(({ name, url }) => [name, url])).toEqual(
    ['w1', 'w2', 'w3'].map((name) => [name, `https://${name}.example/add`]),
  );
  const enough = (...names: string[]) => isQuorum(policy.quorum, new Set(names));
  expect([enough(), enough('w1'), enough('w4', 'w5'), enough('w1', 'w3'), enough('w1', 'w2', 'w3')]).toEqual([
    false,
    false,
    false,
    true,
    true,
  ]);
});

test('one witness, and groups of groups', () => {
  expect(isQuorum(parseWitnessPolicy(`${w1}\nquorum w1`).quorum, new Set(['w1']))).toBe(true);
  const nested = parseWitnessPolicy(`${all}\ngroup a all w1 w2\ngroup b any w3\ngroup c all a b\nquorum c`);
  expect(isQuorum(nested.quorum, new Set(['w1', 'w3']))).toBe(false);
  expect(isQuorum(nested.quorum, new Set(['w1', 'w2', 'w3']))).toBe(true);
});

describe('refused, with the line:', () => {
  test.each([
    ['half of them', `${w1}\n${w2}\ngroup g 1 w1 w2\nquorum g`, /line 3: 1 of 2 are not more than half/],
    ['any of several', `${all}\ngroup g any w1 w2 w3\nquorum g`, /line 4: 1 of 3 are not more than half/],
    ['a member group of half', `${all}\ngroup g any w1 w2\ngroup h all g w3\nquorum h`, /line 4: .*half/],
    ['no quorum', all, /no line: quorum/],
    ['none', `${w1}\nquorum none`, /line 2: expected a quorum/],
    ['two quorums', `${w1}\nquorum w1\nquorum w1`, /line 3/],
    ['an unknown member', `${w1}\ngroup g all w1 w9\nquorum g`, /line 2: w9 is not defined above/],
    ['a member twice', `${w1}\n${w2}\ngroup g all w1 w2\ngroup h all w1 g\nquorum h`, /line 4: w1 is a member twice/],
    ['a name twice', `${w1}\n${w1}\nquorum w1`, /line 2/],
    [
      'a key twice',
      `${w1}\n${w1.replace('witness w1', 'witness w5')}\nquorum w1`,
      /line 2: two witnesses have one key/,
    ],
    ['no URL', `${w1.replace(/ https.*/, '')}\nquorum w1`, /line 1: expected: witness/],
    ['another scheme', `${w1.replace('https:', 'file:')}\nquorum w1`, /line 1: expected an http or https URL/],
    ['a broken key', `${w1.replace('+', '+0')}\nquorum w1`, /line 1: .*verifier key/],
    ['more than there are', `${w1}\ngroup g 2 w1\nquorum g`, /line 2: expected: group/],
    ['another word', `${w1}\nwitnesses w1\nquorum w1`, /line 2: expected witness, group/],
    ['nothing', '', /no line: quorum/],
  ])('%s', (_, text, reason) => {
    expect(() => parseWitnessPolicy(text)).toThrow(reason);
  });
});
