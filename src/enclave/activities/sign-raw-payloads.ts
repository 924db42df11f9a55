import type { signRawPayloads } from '../../protocol/activities/sign-raw-payloads.ts';
import type { Effect } from '../effect.ts';
import { signPayloads } from './payloads.ts';
import { renamingFields } from './refusals.ts';

export const signRawPayloadsEffect: Effect<typeof signRawPayloads> = async (context, { payloads, ...form }) => {
  const signatures = await signPayloads(context, form, payloads, (index, decode) =>
    renamingFields((field) => field.replace(/^parameters\.payload\b/, `parameters.payloads.${index}`), decode),
  );
  return { result: { signatures } };
};
