/** `@countersign/sdk/verify`: what an enclave says of itself and of what it did, checked by whoever wants to. */
export { answerVerifier } from './answer-verifier.ts';
export type { BootStatement } from './read-receipt.ts';
export type { Trusted } from './signed-state.ts';
export type { Step, StepName } from './step.ts';
export { type ReadExpectations, type ReadVerification, verifyRead } from './verify-read.ts';
export { type Expectations, type Place, type Verification, verifyReceipt } from './verify-receipt.ts';
