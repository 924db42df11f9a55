/** An enclave that waits for shares, in this process, behind an HTTP server in the place of `api` that may lie. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHolderFile, type HolderFile } from '../../src/cli/ceremony/holder-file.ts';
import { propose } from '../../src/cli/ceremony/propose.ts';
import { giveShare } from '../../src/cli/ceremony/share.ts';
import type { CeremonyReport } from '../../src/protocol/ceremony/hand-in.ts';
import type { EnclaveStatus } from '../../src/protocol/messages.ts';
import { orderParent, startEnclave } from './enclave-process.ts';
import type { MemoryStorage } from './memory-storage.ts';

export type QuorumEnclave = {
  readonly url: string;
  status(): Promise<EnclaveStatus>;
  report(): Promise<CeremonyReport>;
  /** Rewrites answers on their way to a holder. */
  lie(path: string, alter: (answer: Record<string, unknown>) => unknown): void;
  /** Rejects with why the enclave does not open its folder. */
  readonly opened: Promise<void>;
  serving(): Promise<void>;
  stop(): void;
};

/** A data directory with holders, of whom `threshold` are to come together, and their files. */
export function quorumFolder(threshold: number, ...names: string[]) {
  const dataDir = mkdtempSync(join(tmpdir(), 'countersign-ceremony-'));
  const files = Object.fromEntries(names.map((name) => [name, addHolder(dataDir, name)]));
  propose(dataDir, { threshold: String(threshold), holders: Object.values(files).map(({ line }) => line) }, true);
  const folder = join(dataDir, 'enclave');
  orderParent(folder);
  const remove = () => rmSync(dataDir, { recursive: true, force: true });
  return { dataDir, folder, files, remove };
}

export function addHolder(dataDir: string, name: string): { path: string; line: string; file: HolderFile } {
  const path = join(dataDir, `${name}.key`);
  const file = createHolderFile(path, name, undefined);
  return { path, line: `${name}:${file.publicKey}`, file };
}

/** `more`: settings of the enclave, beside the sealing. */
export async function startQuorumEnclave(
  folder: string,
  storage: MemoryStorage,
  more: Readonly<Record<string, string>> = {},
): Promise<QuorumEnclave> {
  const enclave = startEnclave(folder, storage, { COUNTERSIGN_SEALING: 'quorum-shares', ...more });
  const lies = new Map<string, (answer: Record<string, unknown>) => unknown>();
  const json = ({ body }: { body: Uint8Array }) => JSON.parse(Buffer.from(body).toString());
  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost');
    const body = await read(request);
    const nonce = Buffer.from(searchParams.get('nonce') ?? '', 'hex');
    const answer = await enclave.ask((id) =>
      pathname === '/attestation' ? { type: 'attest', id, nonce } : { type: 'ceremony', id, body },
    );
    const alter = answer.status === 200 ? lies.get(pathname) : undefined;
    response.statusCode = answer.status;
    response.end(alter ? JSON.stringify(await alter(json(answer))) : answer.body);
  });
  return {
    url: await listen(server),
    status: enclave.status,
    report: async () => json(await enclave.ask((id) => ({ type: 'ceremony', id, body: Buffer.alloc(0) }))),
    lie: (path, alter) => lies.set(path, alter),
    opened: enclave.opened,
    serving: enclave.serving,
    stop() {
      enclave.stop();
      server.close();
      server.closeAllConnections();
    },
  };
}

/** What a careful holder does, who read the boot id from the enclave's log. */
export async function hand(
  enclave: QuorumEnclave,
  key: string,
  {
    manifest,
    boot,
    proposal = null,
    measurements = [],
  }: { manifest?: string; boot?: string; proposal?: string | null; measurements?: string[] } = {},
): Promise<CeremonyReport> {
  const trust = { policy: null, measurements, unattestedBoot: boot ?? (await enclave.report()).boot };
  return giveShare({ url: enclave.url, key, passphraseFile: undefined, manifest, trust, proposal });
}

async function read(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
