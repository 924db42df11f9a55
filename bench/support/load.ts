/**
 * The load generator, a process of its own: holds the users' passkeys, stamps requests before each interval and drives a
 * server through it. Takes one command at a time from its parent and answers each.
 */
import { createSoftwareAuthenticator, type SoftwareAuthenticator } from '../../src/stamping/software-authenticator.ts';
import type { Registration } from '../../src/stamping/stamp.ts';
import { checkShape, checkSignature } from './check-answers.ts';
import { type Exchange, runClosedLoop } from './closed-loop.ts';
import { type RequestKind, type StampedRequest, stampRequests } from './stamped-requests.ts';
import { quantile } from './statistics.ts';
import { submit } from './submit.ts';

/** `publicKey`: COSE_Key. */
export type Passkey = { credentialId: string; publicKey: Uint8Array };
/** `skeletonAddress`: of the key that the skeleton signs with for the same user. */
export type Account = { organizationId: string; address: string; skeletonAddress?: string };

/** One interval: `quantiles` holds the latencies in ms at 0, 0.1, … 100 percent. */
export type Interval = { requests: number; seconds: number; quantiles: number[]; cpuShare: number };

export type Command =
  | { do: 'makePasskeys'; count: number }
  /** Asks for the registrations of all passkeys. */
  | { do: 'register' }
  /** Tells whose they are, in their order. */
  | { do: 'assign'; accounts: Account[] }
  /** Has each of the first `signers` users' organizations adopt a policy. */
  | { do: 'adopt'; port: number; signers: number; policy: object }
  /** Makes requests for the intervals that follow, by the first `signers` users, or by those from `first` on. */
  | { do: 'stamp'; count: number; signers: number; first?: number; kind?: RequestKind; omitReceipt?: boolean }
  /** Sends the requests that were made. */
  | ({ do: 'run' } & Run);

export type Run = { target: 'service' | 'skeleton'; port: number; connections: number; seconds: number };

export type Reply =
  | { passkeys: Passkey[] }
  | { registrations: Registration[] }
  | { interval: Interval }
  | { done: true }
  | { error: string };

type User = Account & { authenticator: SoftwareAuthenticator };

/** Of the answers, taken at random; recovering a public key takes a millisecond or so. */
const verifiedShare = 0.005;

let authenticators: SoftwareAuthenticator[] = [];
let signers: User[] = [];
let requests: StampedRequest<User>[] = [];

async function carryOut(command: Command): Promise<Reply> {
  switch (command.do) {
    case 'makePasskeys': {
      const made = () => createSoftwareAuthenticator({ rpId: 'localhost', origin: 'http://localhost:3000' });
      authenticators = Array.from({ length: command.count }, made);
      return { passkeys: authenticators.map(({ credentialId, publicKey }) => ({ credentialId, publicKey })) };
    }
    case 'register':
      return { registrations: authenticators.map((authenticator) => authenticator.register()) };
    case 'assign':
      signers = command.accounts.map((account, index) => ({
        ...account,
        authenticator: authenticators[index] as SoftwareAuthenticator,
      }));
      return { done: true };
    case 'adopt':
      for (const user of signers.slice(0, command.signers)) await adopt(user, command.port, command.policy);
      return { done: true };
    case 'stamp': {
      const { count, signers: many, first = 0, kind = 'digest', omitReceipt } = command;
      const headers = omitReceipt ? ['X-Countersign-Receipt: omit'] : [];
      requests = stampRequests(signers.slice(first, first + many), count, kind, headers);
      return { done: true };
    }
    case 'run':
      return { interval: await run(command) };
  }
}

const adopt = ({ organizationId, authenticator }: User, port: number, policy: object) =>
  submit(port, authenticator, 'create_policy', {
    type: 'ACTIVITY_TYPE_CREATE_POLICY_V3',
    organizationId,
    parameters: policy,
  });

async function run({ target, port, connections, seconds }: Run): Promise<Interval> {
  const sample: Exchange[] = [];
  const cpuBefore = process.cpuUsage();
  const { latencies, seconds: elapsed } = await runClosedLoop({
    port,
    connections,
    duration: seconds * 1000,
    requests: requests.map(({ bytes }) => bytes),
    onAnswer(exchange) {
      checkShape(exchange, requests[exchange.request]?.kind ?? 'digest');
      if (Math.random() < verifiedShare) sample.push(exchange);
    },
  });
  const { user, system } = process.cpuUsage(cpuBefore);
  for (const exchange of sample) {
    const request = requests[exchange.request] as StampedRequest<User>;
    const { address, skeletonAddress = '' } = request.signer;
    checkSignature(exchange, request, target === 'service' ? address : skeletonAddress);
  }
  const sorted = latencies.sort();
  return {
    requests: sorted.length,
    seconds: elapsed,
    quantiles: Array.from({ length: 1001 }, (_, permille) => quantile(sorted, permille / 1000)),
    cpuShare: (user + system) / 1e6 / elapsed,
  };
}

const reply = (answer: Reply) => process.send?.(answer);
process.on('message', (command: Command) => {
  carryOut(command).then(reply, (error: Error) => reply({ error: error.message }));
});
process.on('disconnect', () => process.exit());
