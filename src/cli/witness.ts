/** `countersign witness`: a small witness of other services' logs (C2SP tlog-witness), to run on a machine of its own. */
import { once } from 'node:events';
import { existsSync, mkdirSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { cosignature, NoteError, parseVerifierKey } from '../protocol/log/signed-note.ts';
import { createWitness } from '../witness/server.ts';
import { enrolAnew, WitnessStoreError } from '../witness/store.ts';
import { lockFolder } from './lock.ts';
import { OperatorError } from './operator-error.ts';
import { onStopSignals } from './stop-signals.ts';
import { findTools } from './tools.ts';

export const witnessHelp = `usage: countersign witness --name <name> [--log <verifier key>]... [--listen <host:port>] [--data <folder>]
       countersign witness --data <folder> --enrol-anew <log>

Cosigns each checkpoint of the logs that it is told of, if it goes on from the one before: then the service whose log it is can
take nothing back, not even with everything on its own machines restored. Run it where whoever runs that service has no say.

  --name <name>         name of this witness, a domain of yours as a rule: witness.example.com
  --log <verifier key>  a log to cosign, as \`start\` and GET /health of its service show it (verifierKey); may be repeated
  --listen <host:port>  address of the HTTP server (127.0.0.1:8788); put TLS in front of it
  --data <folder>       what it remembers and its key (./witness); a witness that has lost it must not go on as if it were new
  --enrol-anew <log>    forgets a log (its name, the part of the verifier key before the first +) after its operator had a
                        restored state accepted (docs/anchors.md); stop the witness first

Its own verifier key, which it prints, goes into the policy file of the service (COUNTERSIGN_WITNESS_POLICY). Without --log it only
makes and prints that.`;

const options = {
  name: { type: 'string' },
  log: { type: 'string', multiple: true },
  listen: { type: 'string', default: '127.0.0.1:8788' },
  data: { type: 'string', default: './witness' },
  'enrol-anew': { type: 'string' },
} as const;

/** Runs until it is told to stop. */
export async function witness(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options });
  const folder = resolve(values.data);
  try {
    if (values['enrol-anew']) {
      if (existsSync(folder)) await lock(folder);
      enrolAnew(folder, values['enrol-anew']);
      return print(
        `${values['enrol-anew']} is cosigned anew from its next checkpoint on; the old one stays as evidence`,
      );
    }
    await serve(folder, values);
  } catch (error) {
    if (error instanceof NoteError || error instanceof WitnessStoreError) throw new OperatorError(error.message);
    throw error;
  }
}

async function serve(
  folder: string,
  { name, log: logs = [], listen }: { name?: string | undefined; log?: string[] | undefined; listen: string },
): Promise<void> {
  if (!name || /[\s+]/.test(name))
    throw new OperatorError(`--name: expected a name without spaces and +\n\n${witnessHelp}`);
  const [, host = '', port = ''] = /^(.+):(\d{1,5})$/.exec(listen) ?? [];
  if (!host || Number(port) > 65_535)
    throw new OperatorError(`--listen: expected an address like 127.0.0.1:8788, got ${listen}`);
  if (logs.map(parseVerifierKey).some(({ type }) => type === cosignature))
    throw new OperatorError('--log: expected the verifier key of a log, got that of a witness');
  if (logs.length > 0) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    await lock(folder);
  }
  const { server, verifierKey } = createWitness({ folder, name, logs });
  print(`witness ${verifierKey}`);
  if (logs.length === 0) return;
  server.listen(Number(port), host.replace(/^\[|\]$/g, ''));
  await once(server, 'listening').catch((error: Error) => {
    throw new OperatorError(`--listen: ${error.message}`);
  });
  onStopSignals(
    () => {
      server.close(() => process.exit(0));
      server.closeAllConnections();
    },
    () => process.exit(1),
  );
  const { address, port: chosen } = server.address() as AddressInfo;
  for (const each of logs) print(`cosigns ${parseVerifierKey(each).name}`);
  print(`listens on http://${address.includes(':') ? `[${address}]` : address}:${chosen}`);
}

/** Two on one folder would each go by their own memory, and cosign two histories of a log. */
async function lock(folder: string): Promise<void> {
  if (await lockFolder(folder, findTools().flock)) return;
  throw new OperatorError(`another witness is running on ${folder}; stop it first`);
}

const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
