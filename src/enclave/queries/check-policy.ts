import { checkTexts } from '../../policy/check-texts.ts';
import type { checkPolicy } from '../../protocol/queries/check-policy.ts';
import type { Answer } from '../answer.ts';

export const checkPolicyAnswer: Answer<typeof checkPolicy> = (_context, texts) => checkTexts(texts);
