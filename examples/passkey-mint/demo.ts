/** `npm run demo:mint` */
import { parseArgs } from 'node:util';
import { onStopSignals } from '../../src/cli/stop-signals.ts';
import { startMint } from './start.ts';

const help = `npm run demo:mint -- [--port 3000] [--data-dir DIR] [--mints-per-day 100]

Serves an application in which people mint a sponsored NFT with a passkey, with all it needs: Countersign, a chain node
and the contracts. Without --data-dir nothing is left behind; with it users stay, while the chain starts empty each time.
`;

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: process.env.PORT ?? '3000' },
    'data-dir': { type: 'string' },
    'mints-per-day': { type: 'string', default: '100' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  process.stdout.write(help);
  process.exit(0);
}

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
const dataDir = values['data-dir'];
const running = startMint({
  port: Number(values.port),
  mintsPerDay: Number(values['mints-per-day']),
  ...(dataDir && { dataDir }),
  say,
});
let isStopping = false;
onStopSignals(
  () => {
    isStopping = true;
    say('stopping');
    running
      .then(({ stop }) => stop())
      .then(
        () => process.exit(0),
        () => process.exit(1),
      );
  },
  () => process.exit(1),
);
running.then(
  ({ origin }) => say(`open ${origin} (Ctrl-C ends it)`),
  (error: NodeJS.ErrnoException) => {
    const reason =
      error.code === 'EADDRINUSE' ? `port ${values.port} is in use: choose another by --port` : error.message;
    if (!isStopping) process.stderr.write(`demo:mint: ${reason}\n`);
    process.exit(1);
  },
);
