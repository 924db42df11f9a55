/** The engines, each with whatever it can do in advance done in advance: what is timed is one decision on prepared facts. */
import { celEnv, celMap, parse, plan } from '@bufbuild/cel';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { preparsePolicySet, statefulIsAuthorized } from '@cedar-policy/cedar-wasm/nodejs';
import { Environment } from '@marcbachmann/cel-js';
import { evaluate as evaluateCelJs, parse as parseCelJs } from 'cel-js';
import { compileText } from '../../src/policy/compile-text.ts';
import { decide } from '../../src/policy/decide-policies.ts';
import { compilePolicy, createPolicySet } from '../../src/policy/policy-set.ts';
import { conditionSchema } from '../../src/policy/schema/condition.ts';
import { consensusSchema } from '../../src/policy/schema/consensus.ts';
import type { Value } from '../../src/policy/types.ts';
import type { Facts } from '../../src/policy/values.ts';
import type { Case } from './cases.ts';
import { type Activity, requestOf } from './facts.ts';

/** Decides the `index`th of the activities that it was prepared for. */
export type Decider = (index: number) => boolean;

export type EngineName = keyof typeof engines;

/** Each throws where it cannot express the case at all. */
export const engines = {
  /** Countersign's whole decision: guards, root quorum, denies, allows, by the index. */
  decision: (given: Case, activities: readonly Activity[]): Decider => {
    const set = createPolicySet(given.policies.map(compilePolicy));
    const requests = activities.map(requestOf);
    return (index) => decide(set, requests[index] as (typeof requests)[number]).outcome === 'OUTCOME_ALLOW';
  },

  /** Countersign's evaluation of the expression alone, in the very text that the CEL libraries get. */
  expression: ({ cel }: Case, activities: readonly Activity[]): Decider => {
    const schema = { ...conditionSchema, ...consensusSchema };
    const { program } = compileText(cel, { language: 'cel', schema, expected: { kind: 'bool' } });
    const facts = activities.map((activity) => requestOf(activity).facts);
    return (index) => program(facts[index] as Facts) === true;
  },

  /** The policies are parsed once, and kept under their name; the request's context has no way in but as JSON. */
  cedar: ({ name, cedar }: Case, activities: readonly Activity[]): Decider => {
    const parsed = preparsePolicySet(name, { staticPolicies: cedar.policies });
    if (parsed.type === 'failure') throw new Error(parsed.errors.map((error) => error.message).join());
    const calls = activities.map((activity) => ({
      principal: { type: 'User', id: 'initiator' },
      action: { type: 'Action', id: activity.kind },
      resource: { type: 'Wallet', id: activity.walletId },
      context: cedar.context(activity) as Parameters<typeof statefulIsAuthorized>[0]['context'],
      preparsedPolicySetId: name,
      entities: [],
    }));
    return (index) => {
      const answer = statefulIsAuthorized(calls[index] as (typeof calls)[number]);
      if (answer.type === 'failure') throw new Error(answer.errors.map((error) => error.message).join());
      return answer.response.decision === 'allow';
    };
  },

  /** Parsed and planned once; `CelMap`s made in advance are the quickest form of facts that it has. */
  bufbuild: ({ cel, reads }: Case, activities: readonly Activity[]): Decider => {
    const run = plan(celEnv(), parse(cel));
    const bindings = given(activities, reads, {
      record: (entries) => celMap(new Map(entries as readonly (readonly [string, never])[])),
      integer: (value) => value,
      time: (ms) => timestampFromMs(ms),
    });
    return (index) => run(bindings[index] as never) === true;
  },

  /** Parsed once; with declared variables its evaluation is slower than with undeclared ones. */
  marcbachmann: ({ cel, reads }: Case, activities: readonly Activity[]): Decider => {
    const run = new Environment({ unlistedVariablesAreDyn: true }).parse(cel);
    const bindings = given(activities, reads, {
      record: Object.fromEntries,
      integer: (value) => value,
      time: (ms) => new Date(ms),
    });
    return (index) => run(bindings[index] as never) === true;
  },

  /** Parsed once, to a syntax tree that each evaluation walks. It has neither big integers nor times. */
  celJs: ({ cel, reads }: Case, activities: readonly Activity[]): Decider => {
    const parsed = parseCelJs(cel);
    if (!parsed.isSuccess) throw new Error(parsed.errors.join());
    const bindings = given(activities, reads, {
      record: Object.fromEntries,
      integer: Number,
      time: (ms) => new Date(ms),
    });
    return (index) => evaluateCelJs(parsed.cst, bindings[index] as never) === true;
  },
};

type Forms = {
  readonly record: (entries: readonly (readonly [string, unknown])[]) => unknown;
  readonly integer: (value: bigint) => unknown;
  readonly time: (ms: number) => unknown;
};

/** The facts in a library's own representation: of each only what the policy reads. */
function given(activities: readonly Activity[], reads: readonly string[], forms: Forms): readonly object[] {
  const roots = [...new Set(reads.map((path) => path.split('.')[0] as string))];
  return activities.map((activity) => {
    const { facts } = requestOf(activity);
    return Object.fromEntries(roots.map((root) => [root, convert(facts[root] as Value, root, reads, forms)]));
  });
}

function convert(value: Value, path: string, reads: readonly string[], forms: Forms): unknown {
  if (path === 'now') return forms.time(Number((value as bigint) / 1_000_000n));
  if (typeof value === 'bigint') return forms.integer(value);
  if (Array.isArray(value)) return value.map((item) => convert(item, path, reads, forms));
  if (typeof value !== 'object' || value === null) return value;
  const all = reads.includes(path);
  const entries: (readonly [string, Value])[] =
    value instanceof Map
      ? [...value]
      : childrenOf(path, reads, all ? Object.keys(value) : []).map((name) => [name, (value as Facts)[name] as Value]);
  return forms.record(
    entries.map(([name, item]) => [name, convert(item, all ? path : `${path}.${name}`, reads, forms)]),
  );
}

/** The fields below `path` that are read; all of them where `path` itself is. */
function childrenOf(path: string, reads: readonly string[], all: readonly string[]): readonly string[] {
  const below = reads.filter((read) => read.startsWith(`${path}.`)).map((read) => read.slice(path.length + 1));
  return [...new Set([...all, ...below.map((name) => name.split('.')[0] as string)])];
}
