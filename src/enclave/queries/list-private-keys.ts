import type { listPrivateKeys } from '../../protocol/queries/list-private-keys.ts';
import type { Answer } from '../answer.ts';
import { privateKeyView } from '../views/private-key.ts';
import { byCreation } from './by-creation.ts';

export const listPrivateKeysAnswer: Answer<typeof listPrivateKeys> = ({ organization }) => ({
  privateKeys: byCreation(organization.privateKeys).map(privateKeyView),
});
