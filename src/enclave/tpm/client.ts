/**
 * A small client of TPM 2.0 over its raw wire protocol (Library, Part 1 §18, Part 3): commands one after another, each with
 * its sessions, responses checked. What the commands are stands in the files beside this one.
 */
import { timingSafeEqual } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { sha256 } from '../ledger/hash.ts';
import { commands, handles, sessionAttributes } from './constants.ts';
import { TpmError } from './error.ts';
import {
  decryptParameter,
  encodeProof,
  encryptParameter,
  macOf,
  openProof,
  type Proof,
  passwordSession,
  type Session,
} from './session.ts';
import { openTransport, type Transport } from './transport.ts';
import { createReader, type Reader, u16, u32 } from './wire.ts';

/** What a command is about: a hierarchy, a PCR, an NV index, an object. Its name goes into what a session signs. */
export type Entity = {
  readonly handle: number;
  /** nameAlg ‖ digest of the public area, or the handle itself where there is none (Part 1 §16). */
  readonly name: Buffer;
  /** Authorization value; absent: empty. */
  readonly auth?: Uint8Array;
};

export type Command = {
  readonly code: number;
  readonly entities?: readonly Entity[];
  /** The first authorizes the first entity, and so on. */
  readonly sessions?: readonly Session[];
  readonly parameters?: readonly Uint8Array[];
  readonly returnsHandle?: boolean;
  /** Whose first parameter the first session hides; it must be a TPM2B. */
  readonly hides?: 'command' | 'response' | 'both';
};

export type Tpm = {
  /** Throws a `TpmError` where the TPM refuses. */
  execute(command: Command): Promise<{ handle: number; parameters: Reader }>;
  close(): Promise<void>;
};

export const permanent = (handle: number, auth?: Uint8Array): Entity => ({
  handle,
  name: u32(handle),
  ...(auth && { auth }),
});

export const owner = permanent(handles.owner);

const withoutSessions = 0x8001;
const withSessions = 0x8002;

/** Responses that mean: the same command again, in a moment (yielded, testing, too many NV writes, retry). */
const transient = new Set([0x908, 0x90a, 0x920, 0x922]);
const retryPatience = 10_000;

/** Connections of this process by path: behind a socket there is room for one user, so its parts share one. */
type Connection = { readonly tpm: Promise<Tpm>; users: number };
const connections = new Map<string, Connection>();

/**
 * Connects to the TPM at `path`, a Unix socket (of which this process becomes the only user) or a device, or joins the
 * connection that another part of this process holds. Close it when it is done with.
 */
export async function openTpm(path: string): Promise<Tpm> {
  const connection = connections.get(path) ?? newConnection(path);
  connection.users++;
  let closed = false;
  const close = async () => {
    if (closed) return;
    closed = true;
    if (--connection.users > 0) return;
    forget(path, connection);
    await (await connection.tpm).close();
  };
  try {
    const { execute } = await connection.tpm;
    return { execute, close };
  } catch (error) {
    await close().catch(() => {});
    throw error;
  }
}

function newConnection(path: string): Connection {
  const connection: Connection = { tpm: connect(path, () => forget(path, connection)), users: 0 };
  connections.set(path, connection);
  return connection;
}

function forget(path: string, connection: Connection): void {
  if (connections.get(path) === connection) connections.delete(path);
}

async function connect(path: string, onClosed: () => void): Promise<Tpm> {
  const transport = await openTransport(path, onClosed);
  let turn: Promise<unknown> = Promise.resolve();
  const tpm: Tpm = {
    execute(command) {
      const result = turn.then(() => run(transport, command));
      turn = result.catch(() => {});
      return result;
    },
    close: () => transport.close(),
  };
  // What a killed user left behind would soon fill a TPM without a resource manager.
  if (!transport.isShared) await flushAll(tpm);
  return tpm;
}

export async function flush(tpm: Tpm, handle: number): Promise<void> {
  await tpm.execute({ code: commands.flushContext, parameters: [u32(handle)] });
}

async function run(transport: Transport, command: Command): Promise<{ handle: number; parameters: Reader }> {
  const { code, entities = [], sessions = [], hides } = command;
  const proofs = sessions.map((session, at) => openProof(session, entities[at], at === 0 ? flagsOf(hides) : 0));
  const [first] = proofs;
  const clear = Buffer.concat(command.parameters ?? []);
  const parameters = first && hidesIn(hides, 'command') ? encryptParameter(first, clear) : clear;
  const hash = sha256(Buffer.concat([u32(code), ...entities.map(({ name }) => name), parameters]));
  const authorizations = Buffer.concat(proofs.map((proof) => encodeProof(proof, hash)));
  const area = proofs.length > 0 ? [u32(authorizations.length), authorizations] : [];
  const body = Buffer.concat([...entities.map(({ handle }) => u32(handle)), ...area, parameters]);
  const tag = proofs.length > 0 ? withSessions : withoutSessions;
  const response = await exchange(transport, Buffer.concat([u16(tag), u32(10 + body.length), u32(code), body]));
  return readResponse(response, command, proofs);
}

async function exchange(transport: Transport, bytes: Buffer): Promise<Buffer> {
  for (const start = performance.now(); ; await sleep(5)) {
    const response = await transport.exchange(bytes);
    const code = response.readUInt32BE(6);
    if (code === 0) return response;
    if (!transient.has(code) || performance.now() - start > retryPatience) throw new TpmError(code);
  }
}

function readResponse(response: Buffer, command: Command, proofs: readonly Proof[]) {
  const reader = createReader(response.subarray(10));
  const handle = command.returnsHandle ? reader.u32() : 0;
  if (proofs.length === 0) return { handle, parameters: reader };
  let parameters = reader.take(reader.u32());
  const hash = sha256(Buffer.concat([u32(0), u32(command.code), parameters]));
  for (const proof of proofs) checkProof(proof, hash, reader);
  const [first] = proofs;
  if (first && hidesIn(command.hides, 'response')) parameters = decryptParameter(first, parameters);
  return { handle, parameters: createReader(parameters) };
}

/** TPMS_AUTH_RESPONSE: without it anybody on the way could answer for the TPM. */
function checkProof(proof: Proof, hash: Buffer, reader: Reader): void {
  const nonce = Buffer.from(reader.sized());
  const flags = reader.u8();
  const mac = reader.sized();
  if (proof.session === passwordSession) return;
  const expected = macOf(proof, hash, nonce, proof.nonceCaller, flags);
  if (mac.length !== expected.length || !timingSafeEqual(mac, expected)) {
    throw new Error('an answer is not the TPM’s: somebody stands between');
  }
  proof.session.nonceTpm = nonce;
}

const hidesIn = (hides: Command['hides'], side: 'command' | 'response'): boolean => hides === side || hides === 'both';

const flagsOf = (hides: Command['hides']): number =>
  (hidesIn(hides, 'command') ? sessionAttributes.decrypt : 0) |
  (hidesIn(hides, 'response') ? sessionAttributes.encrypt : 0);

/** Loaded sessions (HMAC and policy) and transient objects. */
async function flushAll(tpm: Tpm): Promise<void> {
  for (const first of [0x02000000, 0x80000000])
    for (const handle of await handlesFrom(tpm, first)) await flush(tpm, handle);
}

async function handlesFrom(tpm: Tpm, first: number): Promise<number[]> {
  const capHandles = 1;
  const { parameters } = await tpm.execute({
    code: commands.getCapability,
    parameters: [u32(capHandles), u32(first), u32(64)],
  });
  parameters.take(1 + 4);
  return Array.from({ length: parameters.u32() }, () => parameters.u32());
}
