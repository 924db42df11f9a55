import type { getPrivateKey } from '../../protocol/queries/get-private-key.ts';
import { find } from '../activities/refusals.ts';
import type { Answer } from '../answer.ts';
import { privateKeyView } from '../views/private-key.ts';

export const getPrivateKeyAnswer: Answer<typeof getPrivateKey> = ({ organization }, request) => ({
  privateKey: privateKeyView(find(organization.privateKeys, request.privateKeyId, 'private key', 'privateKeyId')),
});
