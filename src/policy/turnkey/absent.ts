/** Names that people carry over from other languages, and what Turnkey's has in their place. */

const slices = "it has no substring test; compare a slice such as `x[0..10] == '0xa9059cbb'`, or use CEL";
const presence = "it has no presence test: naming what is absent is an error; use CEL's `has`";
const casts = "it has no conversions; compare with a literal of the field's own type, or use CEL";

const past = "it knows nothing of the past; use CEL's `spent`, `activities` or `sinceLast`";

/** Methods, by what follows the dot. */
export const absentMethods: Readonly<Record<string, { readonly message: string; readonly suggestion?: string }>> = {
  startsWith: { message: slices },
  endsWith: { message: slices },
  substring: { message: 'parts of a text are slices: `x[from..to]`, or use CEL' },
  slice: { message: 'slices are written `x[from..to]`' },
  matches: { message: 'it has no regular expressions; use CEL' },
  has: { message: presence },
  exists: { message: 'this test is called `any`', suggestion: 'any' },
  some: { message: 'this test is called `any`', suggestion: 'any' },
  every: { message: 'this test is called `all`', suggestion: 'all' },
  exists_one: { message: 'count what a filter leaves: `x.filter(v, …).count() == 1`' },
  map: { message: 'lists cannot be mapped; use CEL' },
  size: { message: 'the number of elements is `count()`', suggestion: 'count' },
  length: { message: 'the number of elements is `count()`', suggestion: 'count' },
  includes: { message: 'membership is `contains`', suggestion: 'contains' },
  lowerAscii: { message: 'write `CaseInsensitiveString(x)` on both sides' },
  toLowerCase: { message: 'write `CaseInsensitiveString(x)` on both sides' },
  hex_to_uint: { message: casts },
};

/** Functions without a receiver. */
export const absentFunctions: typeof absentMethods = {
  has: { message: presence },
  size: { message: 'the number of elements is `x.count()`' },
  count: { message: 'the number of elements is `x.count()`' },
  any: { message: 'write `list.any(v, …)`' },
  all: { message: 'write `list.all(v, …)`' },
  int: { message: casts },
  uint: { message: casts },
  string: { message: casts },
  timestamp: { message: 'times are `Timestamp(…)`', suggestion: 'Timestamp' },
  duration: { message: 'it has no durations; use CEL' },
  rate: { message: past },
  spent: { message: past },
  spending: { message: past },
  activities: { message: past },
  sinceLast: { message: past },
  newRecipients: { message: past },
  newContracts: { message: past },
  tag: { message: "tags are named by id: `user.tags.contains('<id>')`" },
};

/** Words that stand where an operator should. */
export const wordOperators: Readonly<Record<string, string>> = { and: '&&', or: '||', not: '!', AND: '&&', OR: '||' };
