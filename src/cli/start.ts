/** `countersign start`: brings the service up, keeps it running, and stops it in order. */
import { existsSync, rmSync } from 'node:fs';
import { checkDatabaseRole } from './database-role.ts';
import { openDataDirectory } from './files.ts';
import { askHealth } from './health.ts';
import { enclaveFolder, openHost } from './host.ts';
import { describeIsolation } from './isolation.ts';
import { lockDataDirectory } from './lock.ts';
import { createMeasurer } from './measurement.ts';
import { shareSocket } from './meeting.ts';
import { OperatorError } from './operator-error.ts';
import { anchorDurable, orderDone, placeOrder } from './orders.ts';
import { checkPort } from './port.ts';
import { openPostgres } from './postgres.ts';
import { type Group, keepRunning, type Running } from './processes.ts';
import { openRootFile, rootFilePath } from './root-file.ts';
import { launchApi, launchEnclave, launchPair, type Services } from './services.ts';
import { apiBaseUrlOf, type Settings } from './settings.ts';
import { onStopSignals } from './stop-signals.ts';
import { findTools } from './tools.ts';
import { microvmSummary, openMicrovm } from './vm/microvm.ts';

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

/** Runs until a signal ends it or it must give up; the process's exit code says which. */
export async function start(settings: Settings): Promise<void> {
  const groups: Group[] = [];
  const stopping = new AbortController();
  let ready = false;
  const end = async (code: number) => {
    if (stopping.signal.aborted) return;
    stopping.abort();
    // Before it is ready nothing is in flight, and a process that starts may not listen to signals yet.
    for (const group of groups.toReversed()) await group.stop(!ready);
    process.exit(code);
  };
  const giveUp = (reason: string) => {
    process.stderr.write(`countersign: ${reason}\n`);
    void end(1);
  };
  onStopSignals(
    () => {
      say('stopping');
      void end(0);
    },
    () => {
      for (const group of groups) group.kill();
      process.exit(1);
    },
  );
  process.stdout.on('error', () => {});
  try {
    await bringUp(settings, stopping.signal, (first, again) => {
      if (stopping.signal.aborted) throw new OperatorError('stopped while starting');
      groups.push(keepRunning(first, again, say, giveUp));
    });
    ready = true;
  } catch (error) {
    if (stopping.signal.aborted) return;
    giveUp(error instanceof OperatorError ? error.message : String((error as Error).stack));
  }
}

type Keep = (first: readonly Running[], again: () => readonly Running[]) => void;

async function bringUp(settings: Settings, stopping: AbortSignal, keep: Keep): Promise<void> {
  const dataDir = openDataDirectory(settings.dataDir);
  const first = !existsSync(rootFilePath(dataDir));
  const locks = await lockDataDirectory(dataDir, findTools().flock, say);
  const host = await openHost(dataDir, say);
  const microvm = settings.enclave === 'microvm' && settings.mode !== 'api' ? await openMicrovm(host) : null;
  const services: Services = { settings, host, locks, measurer: createMeasurer(), microvm };
  if (settings.mode !== 'enclave') {
    const privileged = process.getuid?.() === 0 && !host.isolation.uids;
    await checkPort(settings.host, settings.port, privileged);
  }

  const databaseUrl = await openDatabase(services, keep);
  if (settings.mode === 'enclave') return bringUpEnclave(services, stopping, keep);
  if (settings.mode === 'api') {
    const launchOne = () => [launchApi(services, databaseUrl as string, null)];
    keep(launchOne(), launchOne);
    await healthy(settings, stopping);
    return report(services, [`api is ready at ${apiBaseUrlOf(settings)}`]);
  }
  const root = openRootFile(dataDir, settings, databaseUrl);
  const both = () => launchPair(services, databaseUrl as string);
  keep(both(), both);
  await anchorDurable(dataDir, stopping);
  placeOrder(dataDir, root, rootNames);
  await Promise.all([orderDone(dataDir, root.organizationId, stopping), healthy(settings, stopping)]);
  report(services, [
    `Countersign is ready at ${root.apiBaseUrl}`,
    `root organization: ${root.organizationId}; its API key is in ${rootFilePath(dataDir)}`,
    ...(first ? firstSteps(services) : []),
    ...nextSteps(root.apiBaseUrl),
  ]);
}

/** The database URL for api: of the embedded server, running and kept so, or the operator's; null where api runs elsewhere. */
async function openDatabase({ settings, host, locks, measurer }: Services, keep: Keep): Promise<string | null> {
  if (settings.databaseUrl) {
    if (settings.mode !== 'enclave') await checkDatabaseRole(settings.databaseUrl);
    return settings.databaseUrl;
  }
  if (settings.mode !== 'all') return null;
  const postgres = await openPostgres(host, locks.others);
  const server = postgres.launch();
  measurer.ahead();
  await postgres.ready(server);
  keep([server], () => [postgres.launch()]);
  return postgres.databaseUrl;
}

/** The enclave alone: the root organization comes into being when an api connects. */
async function bringUpEnclave(services: Services, stopping: AbortSignal, keep: Keep): Promise<void> {
  const { settings, host } = services;
  const socket = settings.enclaveSocket as string;
  const root = openRootFile(host.dataDir, settings, settings.databaseUrl);
  const launchOne = () => {
    rmSync(socket, { force: true });
    const enclave = launchEnclave(services);
    void shareSocket(socket, host.isolation.uids !== null, stopping);
    return [enclave];
  };
  keep(launchOne(), launchOne);
  report(services, [
    `the enclave listens on ${socket}`,
    `root organization: ${root.organizationId}; its API key is in ${rootFilePath(host.dataDir)}`,
    ...firstSteps(services),
  ]);
  await anchorDurable(host.dataDir, stopping);
  placeOrder(host.dataDir, root, rootNames);
}

const rootNames = { organizationName: 'Root organization', userName: 'Root user', apiKeyName: 'Root API key' };

/** Waits until database and enclave both answer through api, saying why they do not when that takes long. */
async function healthy({ host, port }: Settings, stopping: AbortSignal): Promise<void> {
  const patienceUntil = Date.now() + 5000;
  let told: string | undefined;
  // A start takes about a second; one that takes long is not to be held up by being asked.
  for (let pause = 20; !stopping.aborted; pause = Math.min(pause * 1.1, 250)) {
    const health = await askHealth(host, port);
    if (health?.status === 200) return;
    const reason = health?.reason ?? 'no answer from api yet';
    if (Date.now() > patienceUntil && reason !== told) {
      told = reason;
      say(`not ready: ${reason}`);
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
  throw new OperatorError('stopped while starting');
}

function report({ host, microvm }: Services, lines: readonly string[]): void {
  const inside = microvm && microvmSummary(microvm);
  for (const line of [...lines, ...describeIsolation(host.isolation, inside)]) say(line);
}

function firstSteps({ settings, host: { dataDir } }: Services): string[] {
  const database = settings.databaseUrl ? 'the database of DATABASE_URL' : `the database (databaseUrl in root.json)`;
  return [
    'back up TOGETHER, at one point in time:',
    `  ${enclaveFolder(dataDir)} (sealing and anchor), ${database}, ${rootFilePath(dataDir)}`,
    '  A database without the enclave folder is lost; a database older than its anchor is refused.',
  ];
}

const nextSteps = (url: string): string[] => [
  `next: open ${url}/ and try it, or run \`npm run demo\`; the API is described at ${url}/docs`,
];
