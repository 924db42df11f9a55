/** Answers a stamped query about an organization, its own user's or its parent's. */
import { invalidArgument } from '../protocol/errors.ts';
import type { JsonObject } from '../protocol/json.ts';
import type { RequestMessage } from '../protocol/messages.ts';
import { parseRequest } from '../protocol/parse-request.ts';
import { findQuery } from '../protocol/queries/index.ts';
import { findActivity } from '../protocol/registry.ts';
import type { QueryContext } from './answer.ts';
import { assertFresh, readTimestamp } from './freshness.ts';
import { listWithPending } from './list-with-pending.ts';
import { pendingRecord } from './pending-record.ts';
import { noQuery } from './queries/app-proofs.ts';
import { answers } from './queries/index.ts';
import { questionReader } from './question-reader.ts';
import type { Answered } from './reply.ts';
import { readStamp, resolveCaller, resolveThroughParent } from './resolve-caller.ts';
import type { Service } from './service.ts';
import { readEnvelope, readOrganizationId } from './submission.ts';
import { activityView } from './views/activity.ts';

/** The answer's JSON value, and what it is made from. Throws `CountersignError`s. */
export async function query(service: Service, request: RequestMessage): Promise<Answered> {
  const found = findQuery(request.name);
  if (!found) throw noQuery(request.name);
  const envelope = readEnvelope(request.body);
  if (typeof envelope.type === 'string' && findActivity(envelope.type)) {
    // Or else whoever sees an activity's stamp, which is good for an hour, could ask with it for ever.
    throw invalidArgument('bad request body', {
      fields: [{ field: 'type', description: 'expected a query, found an activity' }],
    });
  }
  assertBinding(service, found.name, envelope);
  const organizationId = readOrganizationId(envelope);
  const parsed = parseRequest(found, envelope);
  const stamp = readStamp(request.stamp);
  const target = await service.loadExisting(organizationId);
  const resolve = found.name === 'whoami' ? resolveThroughParent : resolveCaller;
  const caller = await resolve(service, target, stamp, request.body);
  await service.assertKnownHead(envelope.knownHead);
  const isOwn = caller.opened.organization.parentId === target.organization.id || caller.opened === target;
  const opened = found.name === 'whoami' && isOwn ? caller.opened : target;
  const { organization } = opened;
  const read = { organization: opened.id, head: opened.headDigest };
  const questions = questionReader(service, opened, caller);
  const context: QueryContext = {
    organization,
    caller: { organization: caller.opened.organization, user: caller.user },
    now: service.now(),
    identities: { find: service.findIdentity },
    parentProfiles: service.parentProfiles(organization),
    questions,
    activities: {
      async get(id) {
        const [found] = await questions.records([id]);
        return found && activityView(found, organization);
      },
      receipt: (id, stamps) => service.receipt(opened, id, stamps),
      async list(page) {
        const waiting = [...organization.pending.values()].reverse().map((each) => pendingRecord(each, organization));
        const records = await listWithPending(waiting, page, (part) => service.listActivities(opened, part));
        return records.map((record) => activityView(record, organization));
      },
    },
    subOrganizations: { list: (page) => service.listSubOrganizations(organization, page) },
  };
  const answer = answers[found.name as keyof typeof answers] as (
    context: QueryContext,
    request: unknown,
  ) => Promise<object>;
  return { value: await answer(context, parsed), read };
}

/**
 * Our own clients put a query's name and time into the body (`src/protocol/bound-query.ts`): such a body is good for this
 * query and for an hour, however often `api` shows it. Turnkey's clients send neither.
 */
function assertBinding({ now, ledger }: Service, name: string, envelope: JsonObject): void {
  if (isGiven(envelope.query) && envelope.query !== name) {
    throw invalidArgument('bad request body', {
      reason: 'QUERY_MISMATCH',
      fields: [{ field: 'query', description: `expected ${name}, the query that is asked for` }],
    });
  }
  if (isGiven(envelope.timestampMs)) assertFresh(readTimestamp(envelope), now(), ledger.epochStart());
}

/** Null and the empty string count as absent, as in the rest of a query. */
const isGiven = (value: unknown): boolean => value !== undefined && value !== null && value !== '';
