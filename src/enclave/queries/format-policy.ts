import { formatTexts } from '../../policy/check-texts.ts';
import type { formatPolicy } from '../../protocol/queries/format-policy.ts';
import type { Answer } from '../answer.ts';

export const formatPolicyAnswer: Answer<typeof formatPolicy> = (_context, texts) => formatTexts(texts);
