import type { signRawPayload } from '../../protocol/activities/sign-raw-payload.ts';
import type { Effect } from '../effect.ts';
import type { Signature } from '../keys/curve.ts';
import { signPayloads } from './payloads.ts';

export const signRawPayloadEffect: Effect<typeof signRawPayload> = async (context, { payload, ...form }) => {
  const [result] = (await signPayloads(context, form, [payload])) as [Signature];
  return { result };
};
