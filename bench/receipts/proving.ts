/** A service with a few users and the receipts of what they signed, for verifying and for attacking. */
import { join } from 'node:path';
import type { Place } from '../../sdk/src/verify/index.ts';
import { verifyReceipt } from '../../sdk/src/verify/index.ts';
import { createSoftwareAuthenticator } from '../../src/stamping/software-authenticator.ts';
import { activityBody, type Caller, overHttp, query, resultOf, type Wire } from '../../tests/support/wire.ts';
import type { Defer } from '../support/clean-up.ts';
import { createAccounts } from '../support/create-accounts.ts';
import type { Account } from '../support/load.ts';
import { type Root, readRoot, startService } from '../support/service.ts';

export type User = Caller & Account;

/** What a user has of a signature. */
export type Signed = {
  readonly body: string;
  readonly result: unknown;
  readonly receipt: Buffer;
  readonly stamped: Buffer;
};

export type Proving = {
  /** Of the service that runs now. */
  wire(): Wire;
  restart(): Promise<void>;
  readonly root: Root;
  readonly users: readonly User[];
  /** One of each user. */
  readonly signed: readonly Signed[];
  readonly logKey: string;
};

export const payload = 'f'.repeat(64);

/** Always the same payload: so is the signature over it, by the same key (RFC 6979). */
export function signRequest({ organizationId, stamp }: Caller, signWith: string) {
  const parameters = {
    signWith,
    payload,
    encoding: 'PAYLOAD_ENCODING_HEXADECIMAL',
    hashFunction: 'HASH_FUNCTION_NO_OP',
  };
  const body = activityBody(organizationId, 'ACTIVITY_TYPE_SIGN_RAW_PAYLOAD_V2', parameters);
  return { kind: 'submit', name: 'sign_raw_payload', body, stamp: stamp(body) } as const;
}

export async function startProving(defer: Defer, folder: string, users: number): Promise<Proving> {
  const dataDir = join(folder, 'proving');
  let service = await startService(defer, dataDir);
  const root = readRoot(dataDir);
  const wire = () => overHttp(`http://127.0.0.1:${service.port}`);
  const passkeys = Array.from({ length: users }, () =>
    createSoftwareAuthenticator({ rpId: 'localhost', origin: 'http://localhost:3000' }),
  );
  const registrations = passkeys.map((passkey) => passkey.register());
  const accounts = await createAccounts(service.port, root, registrations);
  const callers = accounts.map((account, at): User => {
    const passkey = passkeys[at] as (typeof passkeys)[number];
    return { ...account, stamp: (body) => passkey.stamp(body) };
  });
  const signed = await Promise.all(callers.map((user) => sign(wire(), user)));
  return {
    wire,
    async restart() {
      await service.stop();
      service = await startService(defer, dataDir);
    },
    root,
    users: callers,
    signed,
    logKey: await logKeyOf(signed[0] as Signed),
  };
}

async function sign(wire: Wire, user: User): Promise<Signed> {
  const request = signRequest(user, user.address);
  const answer = await wire(request);
  const later = await query(wire, user, 'get_receipt', { activityId: answer.body.activity?.id, stamps: true });
  const bytes = (text: unknown) => Buffer.from(text as string, 'base64url');
  return {
    body: request.body,
    result: resultOf(answer),
    receipt: bytes(answer.body.receipt),
    stamped: bytes(later.body.receipt),
  };
}

async function logKeyOf({ receipt }: Signed): Promise<string> {
  const { ok, place, steps } = await verifyReceipt(receipt);
  if (!ok) throw new Error(`a receipt does not verify: ${JSON.stringify(steps)}`);
  return (place as Place).logKey;
}
