/** A log of its own (C2SP tlog-tiles) over HTTP, honest unless a test has it be otherwise. */
import { createSecretKey, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createCheckpointSigner } from '../../src/enclave/ledger/checkpoint.ts';
import { openLog } from '../../src/enclave/ledger/log.ts';
import { toEntryBundle } from '../../src/protocol/entry-bundle.ts';
import { parseTilePath, tileWidth, tileWidthIn } from '../../src/protocol/log/tiles.ts';
import { leafHash } from '../../src/protocol/log-hash.ts';
import { naiveRoot } from './memory-storage.ts';

export type LogServer = {
  readonly url: string;
  readonly verifierKey: string;
  /** Paths that were asked for. */
  readonly asked: string[];
  /** What the log holds; a test may put anything in the place of it. */
  entries: Uint8Array[];
  /** Answers in place of the honest ones, by path; null: 404. */
  readonly lies: Map<string, string | Uint8Array | null>;
  /** The signed checkpoint of entries, and of a map. */
  sign(entries: readonly Uint8Array[], mapRoot?: Uint8Array): string;
  close(): void;
};

export async function startLogServer(): Promise<LogServer> {
  const signer = createCheckpointSigner(createSecretKey(randomBytes(32)));
  const fixed = {
    mapRoot: Buffer.alloc(32),
    batch: 1,
    epoch: 0,
    settings: Buffer.alloc(32),
    enclave: Buffer.alloc(32),
  };
  const server = createServer((request, response) => {
    const path = (request.url ?? '').slice(1);
    log.asked.push(path);
    const lie = log.lies.get(path);
    const answer = lie === undefined ? honest(path) : lie;
    if (answer === null) response.writeHead(404).end();
    else response.end(answer);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');

  function honest(path: string): string | Uint8Array | null {
    if (path === 'checkpoint') return log.sign(log.entries);
    const tile = parseTilePath(path);
    if (!tile || tileWidthIn(log.entries.length, tile) < tile.width) return null;
    const first = tile.index * tileWidth;
    if (tile.level === 'entries') return toEntryBundle(log.entries.slice(first, first + tile.width));
    const span = tileWidth ** tile.level;
    const leaves = log.entries.slice(first * span, (first + tile.width) * span).map(leafHash);
    return Buffer.concat(
      Array.from({ length: tile.width }, (_, at) => naiveRoot(leaves.slice(at * span, (at + 1) * span))),
    );
  }

  const log: LogServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    verifierKey: signer.verifierKey,
    asked: [],
    entries: [],
    lies: new Map(),
    sign(entries, mapRoot = fixed.mapRoot) {
      const tree = openLog(0, []);
      for (const entry of entries) tree.append(leafHash(entry));
      return signer.sign({ ...fixed, mapRoot, size: entries.length, logRoot: tree.root() });
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
  return log;
}
