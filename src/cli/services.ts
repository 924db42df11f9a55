/** The command lines, environments and descriptors of the enclave and of api. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { type Confined, confine, isForked } from './confine.ts';
import { pathsOfDatabaseUrl } from './database-role.ts';
import { enclaveFolder, type Host, ownView } from './host.ts';
import { isolationSummary } from './isolation.ts';
import type { Locks } from './lock.ts';
import type { Measurer } from './measurement.ts';
import { openMeeting } from './meeting.ts';
import { OperatorError } from './operator-error.ts';
import { launch, type Running } from './processes.ts';
import { placesOf } from './sealing-places.ts';
import type { Settings } from './settings.ts';
import { checkout, programPaths } from './view.ts';
import { type Microvm, microvmCommand, microvmSummary, writeGuestSettings } from './vm/microvm.ts';
import { readWitnessPolicy } from './witness-policy.ts';

/** Milliseconds; with the 3000 of PostgreSQL they stay below the 15 s that a stop may take. */
const apiGraceMs = 9500;
const enclaveGraceMs = 2000;

const { version } = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8')) as { version: string };

export type Services = {
  readonly settings: Settings;
  readonly host: Host;
  readonly locks: Locks;
  readonly measurer: Measurer;
  /** Where the enclave runs in one. */
  readonly microvm: Microvm | null;
};

/** Both, with a socket pair between them as descriptor 3 that nobody else holds. */
export function launchPair(services: Services, databaseUrl: string): Running[] {
  const enclave = launchEnclave(services);
  const end = enclave.child.stdio[3] as Socket;
  const api = launchApi(services, databaseUrl, end);
  // In the same turn as the spawn, so that this process never reads from it.
  end.destroy();
  return [enclave, api];
}

/** Saves some 150 MB of resident memory under load, both together. */
const smallYoungGeneration = '--max-semi-space-size=8';

/** The enclave, with a pipe to it as descriptor 3; in mode `enclave` it listens on the socket of the settings instead. */
export function launchEnclave({ settings, host, locks, measurer, microvm }: Services): Running {
  const socket = settings.enclaveSocket;
  const measurement = microvm?.measurement ?? measurer.take();
  const { confined, command, env } = enclaveProgram({ settings, host }, 'main.ts', usesOf(settings), measurement);
  if (microvm) {
    writeGuestSettings(host, env, `${microvmSummary(microvm)}; around it ${isolationSummary(host.isolation)}`);
  }
  return launch({
    name: 'enclave',
    command: microvm ? microvmCommand(host, microvm, confined, socket) : command,
    forked: isForked(host.isolation),
    env: microvm ? {} : env,
    stdio: ['ignore', 'inherit', 'inherit', socket ? 'ignore' : 'pipe', locks.enclave, ...(microvm?.files ?? [])],
    stopSignal: 'SIGTERM',
    graceMs: enclaveGraceMs,
  });
}

/** What the enclave of these settings uses outside its folder: names of its sealing and anchor. */
const usesOf = ({ sealing, anchor }: Settings): string[] => [
  sealing,
  ...anchor.split('+').map((part) => `${part} anchor`),
];

/**
 * The command line and the environment of a program of the enclave, `file` below src/enclave, confined, with what `uses` names
 * within its reach; for a TPM it measures the code first.
 */
export function enclaveProgram(
  { settings, host }: Pick<Services, 'settings' | 'host'>,
  file: string,
  uses: readonly string[],
  measurement: string,
): { confined: Confined; command: string[]; env: Record<string, string> } {
  const folder = enclaveFolder(host.dataDir);
  const socket = settings.enclaveSocket;
  const places = placesOf(settings, uses, host.isolation.uids?.enclave ?? null);
  if (uses.includes('tpm2')) measureInto(places.environment.COUNTERSIGN_TPM as string, measurement);
  const own = withSocket(host, ownView(host, 'enclave', folder, 'passwd'), socket);
  const view = { ...own.view, folders: [...own.view.folders, ...places.paths] };
  const paths = [folder, ...(socket ? [dirname(socket)] : []), ...places.paths];
  const confined = { ...own, view, groups: places.groups };
  const command = confine(host.isolation, confined, [
    process.execPath,
    '--disallow-code-generation-from-strings',
    '--disable-proto=delete',
    '--disable-sigusr1',
    smallYoungGeneration,
    '--permission',
    // For the native secp256k1 binding; its warning is about add-ons that one did not choose.
    '--allow-addons',
    '--disable-warning=PERM0001',
    // The loader of the native binding asks whether this is Alpine; refused, it would not load.
    '--allow-fs-read=/etc/alpine-release',
    ...[...programPaths(), ...paths].map((path) => `--allow-fs-read=${path}`),
    ...paths.map((path) => `--allow-fs-write=${path}`),
    join(checkout, 'src', 'enclave', file),
  ]);
  return {
    confined,
    command,
    env: {
      ...places.environment,
      COUNTERSIGN_ENCLAVE_DIR: folder,
      COUNTERSIGN_SEALING: settings.sealing,
      COUNTERSIGN_ANCHOR: settings.anchor,
      ...(settings.anchor.includes('witness') && { COUNTERSIGN_WITNESSES: readWitnessPolicy(settings) }),
      COUNTERSIGN_ORIGINS: settings.origins.join(','),
      COUNTERSIGN_RP_IDS: settings.rpIds.join(','),
      COUNTERSIGN_REQUIRE_USER_VERIFICATION: String(settings.requireUserVerification),
      COUNTERSIGN_ISOLATION: isolationSummary(host.isolation),
      COUNTERSIGN_MEASUREMENT: measurement,
      COUNTERSIGN_VERSION: version,
      // Code is read from here, so it lies where only the enclave may write.
      NODE_COMPILE_CACHE: join(folder, 'cache'),
      ...(socket && { COUNTERSIGN_ENCLAVE_SOCKET: socket }),
    },
  };
}

/** Register 11 of the TPM becomes the measurement of what is about to run. */
function measureInto(tpm: string, measurement: string): void {
  const program = join(checkout, 'src', 'enclave', 'sealing', 'measure-code.ts');
  const { status, stderr } = spawnSync(process.execPath, [program, tpm, measurement], { encoding: 'utf8', env: {} });
  if (status !== 0) throw new OperatorError(stderr.trim() || 'the TPM could not be told what runs');
}

/** api, with `channel` as descriptor 3, or with the socket of the settings. */
export function launchApi({ settings, host, locks }: Services, databaseUrl: string, channel: Socket | null): Running {
  const cache = join(host.dataDir, 'cache');
  const own = ownView(host, 'api', cache, 'host');
  const seen = { ...own, view: { ...own.view, readable: pathsOfDatabaseUrl(databaseUrl) } };
  const confined = withSocket(host, seen, settings.enclaveSocket);
  const main = join(checkout, 'src', 'api', 'main.ts');
  const optional = {
    COUNTERSIGN_PUBLIC_URL: settings.publicUrl,
    COUNTERSIGN_TRUSTED_PROXIES: settings.trustedProxies?.join(','),
    COUNTERSIGN_RATE_LIMIT: settings.rateLimit?.toString(),
    COUNTERSIGN_ENCLAVE_SOCKET: settings.enclaveSocket,
  };
  return launch({
    name: 'api',
    // The warning is about stripTypeScriptTypes, which prepares the modules of the pages; Node's version is pinned.
    command: confine(host.isolation, confined, [
      process.execPath,
      '--disable-sigusr1',
      smallYoungGeneration,
      '--disable-warning=ExperimentalWarning',
      main,
    ]),
    forked: isForked(host.isolation),
    env: {
      PORT: String(settings.port),
      HOST: settings.host,
      DATABASE_URL: databaseUrl,
      COUNTERSIGN_LOG_LEVEL: settings.logLevel,
      NODE_COMPILE_CACHE: cache,
      ...(Object.fromEntries(Object.entries(optional).filter(([, value]) => value)) as Record<string, string>),
    },
    stdio: ['ignore', 'inherit', 'inherit', channel ?? 'ignore', locks.others],
    stopSignal: 'SIGTERM',
    graceMs: apiGraceMs,
  });
}

/** Run apart, the two see the folder of their socket as well. */
function withSocket({ isolation }: Host, confined: Confined, socket: string | null): Confined {
  if (!socket) return confined;
  const role = confined.role === 'enclave' ? 'enclave' : 'api';
  const folder = openMeeting(socket, role, isolation.uids?.[role] ?? null);
  return { ...confined, view: { ...confined.view, folders: [...confined.view.folders, folder] } };
}
