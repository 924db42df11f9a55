import type { listSmartAccounts } from '../../protocol/queries/list-smart-accounts.ts';
import type { Answer } from '../answer.ts';
import { smartAccountView } from '../views/smart-account.ts';
import { byCreation } from './by-creation.ts';

export const listSmartAccountsAnswer: Answer<typeof listSmartAccounts> = ({ organization }) => ({
  smartAccounts: byCreation(organization.smartAccounts).map(smartAccountView(organization.id)),
});
