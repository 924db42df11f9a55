import { parseAddress } from '../../decode/ethereum-address.ts';
import { type IntegerType, rangeOf } from '../numbers.ts';
import { constant, type Plan } from '../plan.ts';
import type { Expression } from '../syntax.ts';
import { foldCase, interned, isAddress } from '../text.ts';
import { isCaseless, isInteger, types } from '../type-relations.ts';
import type { Type } from '../types.ts';
import { type Checker, refuse } from './checker.ts';

type Literal = Expression & { readonly kind: 'literal' };

/** Literals of ints, texts and lists of them take the type that their place expects. */
export function isFlexible(node: Expression): boolean {
  switch (node.kind) {
    case 'literal':
      return node.literal.type === 'int' || node.literal.type === 'string';
    case 'amount':
      return true;
    case 'unary':
      return isFlexible(node.operand);
    case 'binary':
      return '+-*/%'.includes(node.operator) && isFlexible(node.left) && isFlexible(node.right);
    case 'list':
      return node.items.every(isFlexible);
    case 'conditional':
      return isFlexible(node.whenTrue) && isFlexible(node.whenFalse);
    default:
      return false;
  }
}

export function inferLiteral(checker: Checker, node: Literal, hint: Type | undefined): Plan {
  const { literal } = node;
  switch (literal.type) {
    case 'int':
      return inferInteger(checker, node, literal.value, hint);
    case 'uint':
      return placeInteger(
        checker,
        node,
        literal.value,
        hint?.kind === 'uint' && hint.wide ? types.wideUint : types.uint,
      );
    case 'string':
      return inferText(checker, node, literal.value, hint);
    default:
      return constant(node, types[literal.type], literal.value);
  }
}

/** An amount is as wide as money is, unless its place is narrower. */
export function inferAmount(checker: Checker, node: Expression & { kind: 'amount' }, hint: Type | undefined): Plan {
  return placeInteger(checker, node, node.value, hint !== undefined && isInteger(hint) ? hint : types.wideInt);
}

function inferInteger(checker: Checker, node: Expression, value: bigint, hint: Type | undefined): Plan {
  if (hint?.kind === 'value') return placeInteger(checker, node, value, types.wideInt);
  if (hint !== undefined && isInteger(hint) && (hint.wide || hint.kind === 'int')) {
    if (checker.language === 'cel') return placeInteger(checker, node, value, hint);
  }
  if (checker.language === 'cel') return placeInteger(checker, node, value, types.int);
  // Turnkey's literals are ints where they fit, otherwise uints; the two compare by value.
  return placeInteger(checker, node, value, value > rangeOf(types.int, 'turnkey').max ? types.wideUint : types.int);
}

function placeInteger(checker: Checker, node: Expression, value: bigint, type: IntegerType): Plan {
  const { min, max } = rangeOf(type, checker.language);
  if (value >= min && value <= max) return constant(node, type, value);
  const message = value < min && min === 0n ? 'the value here is never negative' : `the number is out of range`;
  return refuse(checker, node, { message, expected: `${type.kind} from ${min} to ${max}` });
}

function inferText(checker: Checker, node: Expression, text: string, hint: Type | undefined): Plan {
  if (hint === undefined || !isCaseless(hint)) return constant(node, types.string, interned(text));
  if (hint.kind === 'address') {
    const problem = addressProblem(checker, text);
    if (problem !== undefined) return refuse(checker, node, problem);
  }
  return constant(node, hint, interned(foldCase(text)));
}

/** Empty is the absent address of a contract creation. Turnkey's language takes any text there, but no wrong checksum. */
function addressProblem(checker: Checker, text: string): { message: string; expected: string } | undefined {
  const expected = 'address: 0x and 40 hex digits, capitals as EIP-55 has them';
  if (isAddress(text)) {
    return parseAddress(text) === undefined ? { message: 'the checksum of the address is wrong', expected } : undefined;
  }
  if (text === '' || checker.language === 'turnkey') return undefined;
  return { message: 'not an address', expected };
}
