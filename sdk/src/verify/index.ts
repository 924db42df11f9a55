/** `@countersign/sdk/verify`: what an enclave says of itself and of what it did, checked by whoever wants to. */
export { answerVerifier } from './answer-verifier.ts';
export type { BootStatement } from './read-receipt.ts';
export {
  type Expectations,
  type Step,
  type StepName,
  type Verification,
  verifyReceipt,
} from './verify-receipt.ts';
