/** The content of a backup: a header, parts (files and tables) with their sizes and digests, and a list of them at the end. */
import { createHash } from 'node:crypto';
import * as v from 'valibot';
import { OperatorError } from '../operator-error.ts';

const fileName = v.pipe(
  v.string(),
  v.regex(/^(root\.json|enclave(\/[A-Za-z0-9][A-Za-z0-9._-]*){1,3})$/),
  v.check((name) => !isLeftOut(name)),
);
const sqlName = v.pipe(v.string(), v.regex(/^[a-z_][a-z0-9_]{0,62}$/));

const headerSchema = v.strictObject({
  version: v.literal(1),
  /** Of the program that made it. */
  program: v.string(),
  /** ISO 8601. */
  time: v.string(),
  /** Names of the migrations that made the tables. */
  migrations: v.array(v.pipe(v.string(), v.regex(/^[\w-]{1,100}$/))),
  /** Number of the newest batch that was released, and of the newest in the database; null before any. */
  batch: v.nullable(v.strictObject({ anchored: v.nullable(v.number()), stored: v.number() })),
  /** Whether the sealed root key and root.json are in it. */
  sealing: v.boolean(),
});
const partSchema = v.variant('kind', [
  v.strictObject({ kind: v.literal('file'), name: fileName }),
  v.strictObject({ kind: v.literal('table'), name: sqlName, columns: v.array(sqlName) }),
]);
const endSchema = v.strictObject({ size: v.number(), sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)) });
const listSchema = v.array(v.strictObject({ kind: v.string(), name: v.string(), ...endSchema.entries }));

/** What holds the root key, leads to it, or gives power: never in a file that is not encrypted, which anybody could write. */
const secret = /^(root\.json$|enclave\/(sealing|orders\/))/;
/**
 * Of no use elsewhere (credentials for hours, a cache), or the operator's word for this very place: a backup must not bring
 * an `accept-state` along.
 */
const leftOut =
  /^(cache|anchor-buckets|first-start|restored|accept-state\.json.*|aws-credentials\.json|.*\.(tmp|new))$/;

export const isSecret = (name: string): boolean => secret.test(name);
const isLeftOut = (name: string): boolean => name.split('/').some((word) => leftOut.test(word));
/** Whether a backup takes the file, and `restore` takes it back. */
export const isBackedUp = (name: string): boolean => v.is(fileName, name);

export type Header = v.InferOutput<typeof headerSchema>;
export type Part = v.InferOutput<typeof partSchema>;
export type Listed = { readonly kind: string; readonly name: string; readonly size: number; readonly sha256: string };

export type PartsWriter = {
  /** Begins a part; what it returns takes its bytes. */
  begin(part: Part): { write(bytes: Uint8Array): void; end(): Listed };
  /** Ends the backup with the list of its parts. */
  finish(): readonly Listed[];
};

const kinds = { header: 0x48, part: 0x50, data: 0x44, end: 0x45, list: 0x4c } as const;

export function writeParts(write: (bytes: Uint8Array) => void, header: Header): PartsWriter {
  const listed: Listed[] = [];
  const record = (kind: number, content: Uint8Array) => {
    const head = Buffer.alloc(5);
    head.writeUInt8(kind);
    head.writeUInt32BE(content.length, 1);
    write(head);
    write(content);
  };
  const json = (kind: number, value: unknown) => record(kind, Buffer.from(JSON.stringify(value)));
  json(kinds.header, header);
  return {
    begin(part) {
      json(kinds.part, part);
      const hash = createHash('sha256');
      let size = 0;
      return {
        write(bytes) {
          hash.update(bytes);
          size += bytes.length;
          record(kinds.data, bytes);
        },
        end() {
          const end = { size, sha256: hash.digest('hex') };
          json(kinds.end, end);
          const entry = { kind: part.kind, name: part.name, ...end };
          listed.push(entry);
          return entry;
        },
      };
    },
    finish() {
      json(kinds.list, listed);
      return listed;
    },
  };
}

export type Event =
  | { readonly type: 'header'; readonly header: Header }
  | { readonly type: 'part'; readonly part: Part }
  | { readonly type: 'data'; readonly bytes: Buffer }
  | { readonly type: 'end'; readonly listed: Listed };

/** The parts of a backup in order; throws an `OperatorError` unless it is whole and every digest is right. */
export function* readParts(chunks: Iterable<Buffer>): Generator<Event> {
  const found: Listed[] = [];
  let state: { part: Part; hash: ReturnType<typeof createHash>; size: number } | null = null;
  let begun = false;
  let list: unknown;
  for (const { kind, content } of records(chunks)) {
    if (list !== undefined) throw damaged('something follows the list of its parts');
    if (kind === kinds.header && !begun) {
      begun = true;
      yield { type: 'header', header: read(headerSchema, content) };
    } else if (kind === kinds.part && begun && !state) {
      const part = read(partSchema, content);
      state = { part, hash: createHash('sha256'), size: 0 };
      yield { type: 'part', part };
    } else if (kind === kinds.data && state) {
      state.hash.update(content);
      state.size += content.length;
      yield { type: 'data', bytes: content };
    } else if (kind === kinds.end && state) {
      const end = read(endSchema, content);
      const { part, hash, size } = state;
      if (end.size !== size || end.sha256 !== hash.digest('hex')) throw damaged(`${part.name} is not what was written`);
      const listed = { kind: part.kind, name: part.name, ...end };
      found.push(listed);
      state = null;
      yield { type: 'end', listed };
    } else if (kind === kinds.list && !state) list = read(listSchema, content);
    else throw damaged('its parts are out of order');
  }
  if (JSON.stringify(list) !== JSON.stringify(found)) throw damaged('its list of parts is missing or another one');
}

function* records(chunks: Iterable<Buffer>): Generator<{ kind: number; content: Buffer }> {
  let rest: Buffer = Buffer.alloc(0);
  for (const chunk of chunks) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    while (rest.length - at >= 5 && rest.length - at - 5 >= rest.readUInt32BE(at + 1)) {
      const end = at + 5 + rest.readUInt32BE(at + 1);
      yield { kind: rest.readUInt8(at), content: rest.subarray(at + 5, end) };
      at = end;
    }
    rest = rest.subarray(at);
  }
  if (rest.length > 0) throw damaged('it ends in the middle of a part');
}

function read<S extends v.GenericSchema>(schema: S, content: Buffer): v.InferOutput<S> {
  try {
    return v.parse(schema, JSON.parse(content.toString()));
  } catch (error) {
    throw damaged(`it is of another version (${(error as Error).message})`);
  }
}

const damaged = (why: string): OperatorError => new OperatorError(`the backup cannot be used: ${why}`);
