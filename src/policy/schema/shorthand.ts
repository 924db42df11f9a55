/** Short spellings for the tables of this folder. */
import type { Field, Type } from '../types.ts';

export const string: Type = { kind: 'string' };
export const bool: Type = { kind: 'bool' };
export const int: Type = { kind: 'int', wide: false };
/** Never negative and up to 256 bits: amounts, fees, chain ids. */
export const quantity: Type = { kind: 'uint', wide: true };
export const address: Type = { kind: 'address' };
export const caseless: Type = { kind: 'caseless' };
export const timestamp: Type = { kind: 'timestamp' };
export const duration: Type = { kind: 'duration' };

/** Decoded arguments and messages: only the data tell what is in them. */
export const values: Type = { kind: 'map', key: string, value: { kind: 'value' } };
export const caselessValues: Type = { kind: 'map', key: string, value: { kind: 'value', caseless: true } };
export const strings: Type = { kind: 'map', key: string, value: string };

export const list = (element: Type, maxItems = 256): Type => ({ kind: 'list', element, maxItems });
export const struct = (name: string, fields: { readonly [field: string]: Field }): Type & { kind: 'struct' } => ({
  kind: 'struct',
  name,
  fields,
});

export const field = (type: Type, description: string): Field => ({ type, description });
/** May be absent: the error `missing-field` in Turnkey's language, behind `has` in CEL. */
export const optional = (type: Type, description: string): Field => ({ type, description, optional: true });
/** Only some activities carry it. */
export const namespace = (type: Type, description: string): Field => ({ type, description, namespace: true });
/** `field`, which Turnkey's language does not have. */
export const cel = (field: Field): Field => ({ ...field, celOnly: true });
/** `text`s that read as empty where nothing is set. */
export const orEmpty = (type: Type, description: string): Field => ({ type, description, default: '' });
export const orZero = (type: Type, description: string): Field => ({ type, description, default: 0n });
