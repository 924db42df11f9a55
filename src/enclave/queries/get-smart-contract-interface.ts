import type { getSmartContractInterface } from '../../protocol/queries/get-smart-contract-interface.ts';
import { find } from '../activities/refusals.ts';
import type { Answer } from '../answer.ts';
import { smartContractInterfaceView } from '../views/smart-contract-interface.ts';

export const getSmartContractInterfaceAnswer: Answer<typeof getSmartContractInterface> = (
  { organization },
  request,
) => {
  const { smartContractInterfaceId: id } = request;
  const found = find(organization.interfaces, id, 'smart contract interface', 'smartContractInterfaceId');
  return { smartContractInterface: smartContractInterfaceView(organization.id)(found) };
};
