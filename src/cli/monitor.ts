/** `countersign monitor`: follows a log and notices when it is not what it was. */
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { green, red } from './colour.ts';
import { LogFault, type Look, lookAt, type Progress } from './monitor/follow.ts';
import { type LogReader, openLogReader } from './monitor/log-reader.ts';
import { keep, readKept } from './monitor/state.ts';
import { OperatorError } from './operator-error.ts';
import { printable } from './printable.ts';
import { onStopSignals } from './stop-signals.ts';

export const monitorHelp = `usage: countersign monitor URL [--log-key KEY] [--state FILE] [--once] [--interval SECONDS]

Follows a log (C2SP tlog-tiles): of a Countersign service at URL, or any other one whose checkpoint is URL/checkpoint. Each
time it verifies the signature of the checkpoint, computes its root from the tiles on top of what was there before, and
keeps it. Of Countersign's logs it reads every entry as well, and says when the service started and when its operator had a
restored state accepted.

  --log-key KEY       verifier key of the log (name+id+base64), from a source that you trust; needed at first. Where it is left
                      out the key is asked of the Countersign service at URL, and kept
  --state FILE        what is kept between two runs (./monitor-HOST.json)
  --once              looks once
  --interval SECONDS  how long to wait between two looks (60)

Exits with 2 when the log shrank, forked, or serves other things than it signed for. Both signed checkpoints, which prove it to
everybody, are then in a new file next to the state.`;

const options = {
  'log-key': { type: 'string' },
  state: { type: 'string' },
  once: { type: 'boolean' },
  interval: { type: 'string', default: '60' },
} as const;

/** Runs until it is told to stop, or until the log has a fault: then the exit code is 2. Throws `OperatorError`. */
export async function monitor(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
  const [url, ...more] = positionals;
  if (url === undefined || more.length > 0) throw new OperatorError(monitorHelp);
  const seconds = Number(values.interval);
  if (!(seconds >= 1 && seconds <= 86_400)) {
    throw new OperatorError(`--interval: expected seconds, from 1 to 86400, got ${JSON.stringify(values.interval)}`);
  }
  const log = await openLogReader(url);
  const state = values.state ?? `monitor-${new URL(log.prefix).host.replaceAll(':', '-')}.json`;
  const logKey = await logKeyOf(log, values['log-key'], state);
  const look = () => lookOnce(log, logKey, state);
  try {
    if (values.once) return await look();
    await repeat(look, seconds);
  } catch (error) {
    if (!(error instanceof LogFault)) throw error;
    process.stderr.write(
      `${red(error.message)}\n${log.prefix}: the evidence is in ${writeEvidence(state, log, logKey, error)}\n`,
    );
    process.exitCode = 2;
  }
}

async function lookOnce(log: LogReader, logKey: string, state: string): Promise<void> {
  const look = await lookAt(log, logKey, readKept(state), progress());
  keep(state, look.kept);
  for (const notice of look.notices) print(notice);
  print(`${green('✓')} ${summaryOf(look)}`);
}

function summaryOf({ origin, from, size }: Look): string {
  if (from === 0) return `${origin}: ${size} entries, followed from here on`;
  return size === from ? `${origin}: ${size} entries, as before` : `${origin}: ${size} entries, ${size - from} more`;
}

/** A log that does not answer is looked at again later: it may be down for a while without being at fault. */
async function repeat(look: () => Promise<void>, seconds: number): Promise<void> {
  const stopping = new AbortController();
  onStopSignals(
    () => stopping.abort(),
    () => process.exit(1),
  );
  while (!stopping.signal.aborted) {
    await look().catch((error) => {
      if (!(error instanceof OperatorError)) throw error;
      process.stderr.write(`${new Date().toISOString()} ${error.message}\n`);
    });
    await sleep(seconds * 1000, undefined, { signal: stopping.signal }).catch(() => {});
  }
}

/** The one that is given, the one that was kept, or the one that a Countersign service says it has. */
async function logKeyOf(log: LogReader, given: string | undefined, state: string): Promise<string> {
  const kept = readKept(state)?.logKey;
  if (given !== undefined && kept !== undefined && given !== kept) {
    throw new OperatorError(`${state} is of the log with the key ${kept}; name another file with --state`);
  }
  if (given !== undefined || kept !== undefined) return given ?? (kept as string);
  const response = await fetch(`${log.prefix.replace(/\/log$/, '')}/health`).catch(() => null);
  const health = (await response?.json().catch(() => null)) as { enclave?: { verifierKey?: unknown } } | null;
  const asked = health?.enclave?.verifierKey;
  if (typeof asked !== 'string')
    throw new OperatorError(`--log-key is needed for ${log.prefix}: the verifier key of the log`);
  print(`the log says that its key is ${printable(asked)}: compare it with what its operator published`);
  return asked;
}

function writeEvidence(
  state: string,
  { prefix }: LogReader,
  logKey: string,
  { message, kept, seen }: LogFault,
): string {
  const file = `${state.replace(/\.json$/, '')}-evidence-${new Date().toISOString().replaceAll(':', '')}.json`;
  const evidence = { log: prefix, logKey, found: message, at: new Date().toISOString(), kept, seen };
  writeFileSync(file, `${JSON.stringify(evidence, null, 2)}\n`, { flag: 'wx', flush: true });
  return file;
}

/** One line a second. */
function progress(): Progress {
  let next = performance.now() + 1000;
  return (read, of) => {
    if (performance.now() < next) return;
    next = performance.now() + 1000;
    process.stderr.write(`read ${read} of ${of} entries\n`);
  };
}

const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};
