import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CountersignError } from '../../../src/protocol/errors.ts';
import { type JsonValue, parseJson } from '../../../src/protocol/json.ts';

const parse = (text: string) => parseJson(Buffer.from(text));

/** The one violation that `input` is refused with. */
function refusal(input: string | Uint8Array): { field: string; description: string } {
  try {
    parseJson(Buffer.from(input));
  } catch (error) {
    if (!(error instanceof CountersignError)) throw error;
    expect(error.code).toBe('INVALID_ARGUMENT');
    expect(error.message).toBe('bad request body');
    expect(error.facts.fields).toHaveLength(1);
    return error.facts.fields?.[0] as { field: string; description: string };
  }
  throw new Error(`accepted ${String(input)}`);
}

const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('__proto__', 'constructor', 'toString', '"', '\\', '\u0000', '\u2028', ''),
);
const number = fc.oneof(
  fc.maxSafeInteger(),
  fc.double({ min: -1e9, max: 1e9, noNaN: true }),
  fc.constantFrom(0, -0, 5e-324, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER),
);
const json = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 6 },
    fc.oneof(fc.constant(null), fc.boolean(), number, text),
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(text, tie('value'), { maxKeys: 5 }),
  ),
})).value;

/*
 * JSON.parse of V8 before its fix of https://github.com/nodejs/node/issues/63785 misreads a member name with an escape
 * once it has seen a name that starts with a backslash, so it is no oracle for, and is never shown, an escaped backslash.
 */
describe('against JSON.parse', () => {
  test('every value comes back from its own text, compact or indented', () => {
    fc.assert(
      fc.property(json, fc.constantFrom(undefined, 2, '\t', '\r'), (value, indent) => {
        const written = JSON.stringify(value, null, indent);
        expect(JSON.stringify(parse(written))).toBe(JSON.stringify(value));
      }),
      { numRuns: 500 },
    );
  });

  test('escaped text is the same text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        const units = Array.from({ length: value.length }, (_, index) => value.charCodeAt(index));
        const escaped = units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('');
        expect(parse(`"${escaped}"`)).toBe(value);
      }),
    );
  });

  test('accepts nothing that JSON.parse refuses, and means the same by what it accepts', () => {
    const punctuation = ['{', '}', '[', ']', ',', ':', '"', ' ', '\t', '\n', '\u0001', '//'];
    const scalars = ['true', 'null', 'NaN', '0', '-1', '01', '1.', '.5', '1e5', '1e400', '"a"', '"a":1'];
    const escapes = ['\\n', '\\x', '\\u00e9', '\\ud800', '\u00e9', '\\/'];
    const token = fc.constantFrom(...punctuation, ...scalars, ...escapes);
    const mangled = fc.tuple(json, fc.nat(), fc.nat(3), token).map(([value, at, cut, inserted]) => {
      const written = JSON.stringify(value);
      const place = at % (written.length + 1);
      return (written.slice(0, place) + inserted + written.slice(place + cut)).toWellFormed();
    });
    let accepted = 0;
    fc.assert(
      fc.property(
        fc.oneof(
          mangled,
          fc.array(token, { maxLength: 12 }).map((tokens) => tokens.join('')),
        ),
        (written) => {
          let value: JsonValue;
          try {
            value = parse(written);
          } catch (error) {
            expect(error).toBeInstanceOf(CountersignError);
            return;
          }
          accepted++;
          // V8's own parser misreads escaped names after others (nodejs/node#63785); the test above has escapes.
          if (written.includes('\\')) return;
          expect(JSON.stringify(value)).toBe(JSON.stringify(JSON.parse(written)));
        },
      ),
      { numRuns: 2000 },
    );
    expect(accepted).toBeGreaterThan(100);
  });

  test('bytes of any kind are a value or an INVALID_ARGUMENT', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        try {
          const value = parseJson(bytes);
          expect(value).toEqual(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)));
        } catch (error) {
          expect(error).toBeInstanceOf(CountersignError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('refusals', () => {
  test.each([
    ['', 'body', 'expected a JSON object, found an empty body'],
    ['   ', 'body', 'the body ends too early (line 1, column 4)'],
    ['{"a":1} x', 'body', 'expected the end of the body (line 1, column 9)'],
    ['{"a":1}{}', 'body', 'expected the end of the body (line 1, column 8)'],
    ['{"a":1,"b":2,"a":3}', 'a', 'given twice (line 1, column 14)'],
    ['{"a":{"b":[{"c":1,"\\u0063":null}]}}', 'a.b.0.c', 'given twice (line 1, column 19)'],
    ['{\n  "a": 1,\n  "b": ?\n}', 'b', 'expected a JSON value (line 3, column 8)'],
    ['{"a":01}', 'a', 'expected `,` or `}` (line 1, column 7)'],
    ['{"a":[1 2]}', 'a.0', 'expected `,` or `]` (line 1, column 9)'],
    ['{"a" 1}', 'a', 'expected `:` (line 1, column 6)'],
    ['{a:1}', 'body', 'expected a member name in double quotes (line 1, column 2)'],
    ['{"a":1,}', 'body', 'expected a member name in double quotes (line 1, column 8)'],
    ['[1,]', '1', 'expected a JSON value (line 1, column 4)'],
    ['{"a":"b', 'a', 'string without an end (line 1, column 6)'],
    ['{"a":"\\', 'a', 'unknown escape in a string (line 1, column 7)'],
    ['{"a":"\\x41"}', 'a', 'unknown escape in a string (line 1, column 7)'],
    ['{"a":"\\u12g4"}', 'a', 'unknown escape in a string (line 1, column 7)'],
    ['{"a":"\n"}', 'a', 'control character in a string: escape it (line 1, column 7)'],
    ['{"a":"\\n\n"}', 'a', 'control character in a string: escape it (line 1, column 9)'],
    ['{"a":"\\ud800"}', 'a', 'string with half of a surrogate pair (line 1, column 6)'],
    ['{"\\udc00":1}', 'body', 'string with half of a surrogate pair (line 1, column 2)'],
    ['{"a":nul}', 'a', 'expected a JSON value (line 1, column 6)'],
    ['{"a":NaN}', 'a', 'expected a JSON value (line 1, column 6)'],
    ['{"a":9007199254740992}', 'a', 'number beyond ±(2^53−1) (line 1, column 6)'],
    ['{"a":-1e400}', 'a', 'number beyond ±(2^53−1) (line 1, column 6)'],
    ['\ufeff{}', 'body', 'expected a JSON value (line 1, column 1)'],
  ])('%j', (body, field, description) => {
    expect(refusal(body)).toEqual({ field, description });
  });

  test('bytes that are not UTF-8', () => {
    for (const bytes of [
      [0x22, 0xff, 0x22],
      [0x22, 0xc0, 0x80, 0x22],
      [0x22, 0xed, 0xa0, 0x80, 0x22],
      [0x22, 0xe2],
    ]) {
      expect(refusal(Uint8Array.from(bytes))).toEqual({ field: 'body', description: 'not valid UTF-8' });
    }
  });

  test('nesting deeper than 32, however deep', () => {
    expect(JSON.stringify(parse('['.repeat(32) + ']'.repeat(32)))).toBe('['.repeat(32) + ']'.repeat(32));
    expect(refusal('['.repeat(33) + ']'.repeat(33)).description).toContain('nested deeper than 32');
    expect(refusal('{"a":'.repeat(200_000)).description).toContain('nested deeper than 32');
  });

  test('a name of any length makes a short error', () => {
    expect(refusal(`{"${'x'.repeat(100_000)}":?}`).field).toBe('x'.repeat(64));
  });
});

test('what was read before does not change how a name is read', () => {
  parse('{"":1,"\\\\":1}');
  expect(Object.keys(parse('{"":1,"\\"":2}') as object)).toEqual(['', '"']);
  parse('{"x":1,"\\\\u00":1}');
  expect(Object.keys(parse('{"x":1,"\\u0074ype":2}') as object)).toEqual(['x', 'type']);
});

test('numbers are the doubles of JSON.parse', () => {
  fc.assert(
    fc.property(number, (value) => {
      expect(parse(JSON.stringify(value))).toBe(JSON.parse(JSON.stringify(value)));
    }),
  );
  expect(parse('-0')).toBe(-0);
  expect(parse('1.25E+2')).toBe(125);
});

test('names of the prototype are members like any other', () => {
  const value = parse('{"__proto__":{"isAdmin":true},"constructor":1,"toString":2}') as Record<string, unknown>;
  expect(Object.keys(value)).toEqual(['__proto__', 'constructor', 'toString']);
  expect(Object.getPrototypeOf(value)).toBeNull();
  expect(value.isAdmin).toBeUndefined();
  expect(refusal('{"__proto__":1,"__proto__":2}').field).toBe('__proto__');
});

test('a long body is read in linear time', () => {
  const body = `[${Array(50_000).fill('{"a":"\\n","b":12345}').join(',')}]`;
  const start = performance.now();
  expect(parse(body)).toHaveLength(50_000);
  expect(performance.now() - start).toBeLessThan(2000);
});
