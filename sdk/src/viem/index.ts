/** The table of contents of `@countersign/sdk/viem`. */
export { type CountersignAccount, type SignedUserOperation, toAccount, type UserOperationRequest } from './account.ts';
export { completeIntent } from './complete-intent.ts';
export { type IntentLimits, prepareIntent } from './intent.ts';
export { type Passkey, toWebAuthnAccount } from './passkey-account.ts';
export { smartAccountPin } from './pin.ts';
export { toProvider } from './provider.ts';
export {
  type OwnedSmartAccount,
  type SmartAccountOptions,
  toSimple7702SmartAccount,
  toSmartAccount,
} from './smart-account.ts';
