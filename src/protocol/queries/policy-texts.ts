/** Texts that may or may not be a policy: whatever they are, the answer says so. */
import * as v from 'valibot';
import { effectOrGuard, language } from '../activities/policy-fields.ts';
import { uuid } from '../fields.ts';

export const policyTexts = v.object({
  organizationId: uuid,
  /** Absent: `EFFECT_ALLOW`. */
  effect: v.exactOptional(effectOrGuard),
  condition: v.exactOptional(v.string()),
  consensus: v.exactOptional(v.string()),
  time: v.exactOptional(v.string()),
  language: v.exactOptional(language),
});
