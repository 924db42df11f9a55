import { CountersignError, invalidArgument } from '../../protocol/errors.ts';
import { type JsonObject, type JsonValue, parseJson } from '../../protocol/json.ts';
import { isObject } from '../json-text.ts';
import { type AbiFunction, abiFunction } from './abi-function.ts';
import { AbiError, quote } from './abi-types.ts';

/** The functions of a contract by selector (`0x` and 8 digits, lower case). */
export type ContractInterface = ReadonlyMap<string, AbiFunction>;

const maxLength = 400_000;
const nameForm = /^[A-Za-z_$][\w$]{0,255}$/;

/**
 * The functions of an uploaded interface: the JSON text of an ABI, at most 400,000 characters, in which every input has a
 * `name`. Results need none: no policy names them, and published ABIs leave them out. Throws INVALID_ARGUMENT `provided ABI
 * is invalid`. Parse it once, when it is uploaded or read.
 */
export function parseContractInterface(text: string): ContractInterface {
  if (text.length > maxLength) throw invalid(`expected at most ${maxLength} characters`);
  const entries = readEntries(text);
  const functions = new Map<string, AbiFunction>();
  for (const [index, entry] of entries.entries()) {
    try {
      const found = readEntry(entry);
      if (found) add(functions, found);
    } catch (error) {
      throw error instanceof AbiError ? invalid(`${index}: ${error.message}`) : error;
    }
  }
  return functions;
}

function readEntries(text: string): readonly JsonValue[] {
  let value: JsonValue;
  try {
    value = parseJson(Buffer.from(text));
  } catch (error) {
    const violation = error instanceof CountersignError ? error.facts.fields?.[0] : undefined;
    throw violation ? invalid(`not the JSON expected: ${violation.field}: ${violation.description}`) : error;
  }
  if (!Array.isArray(value)) throw invalid('expected a JSON array, the ABI');
  return value;
}

/** The function that the entry is; events, errors, the constructor and the fallbacks are checked for names and left out. */
function readEntry(entry: JsonValue): AbiFunction | undefined {
  if (!isObject(entry)) throw new AbiError('expected an object');
  const { type = 'function', name, inputs } = entry;
  if (type === 'function') {
    if (typeof name !== 'string' || !nameForm.test(name)) throw new AbiError('expected the name of a function');
    return abiFunction(name, inputs ?? []);
  }
  if (inputs !== undefined) checkNames(inputs);
  return undefined;
}

/** Types that only other entries use need not be known, but their parameters have names as well. */
function checkNames(parameters: JsonValue): void {
  if (!Array.isArray(parameters)) throw new AbiError('expected a list of parameters');
  for (const parameter of parameters) {
    const { name, components } = isObject(parameter) ? parameter : ({} as JsonObject);
    if (typeof name !== 'string') throw new AbiError('expected a name for every parameter (it may be empty)');
    if (components !== undefined) checkNames(components);
  }
}

function add(functions: Map<string, AbiFunction>, found: AbiFunction): void {
  const known = functions.get(found.selector);
  if (known && known.signature !== found.signature) {
    throw new AbiError(`${quote(found.signature)} and ${quote(known.signature)} have one selector`);
  }
  if (known?.inputs.some(({ name }, index) => name !== found.inputs[index]?.name)) {
    throw new AbiError(`${quote(found.signature)} is given twice, with other names`);
  }
  functions.set(found.selector, found);
}

const invalid = (description: string): CountersignError =>
  invalidArgument('provided ABI is invalid', {
    fields: [{ field: 'parameters.smartContractInterface', description }],
  });
