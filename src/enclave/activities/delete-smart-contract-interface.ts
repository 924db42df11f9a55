import type { deleteSmartContractInterface } from '../../protocol/activities/delete-smart-contract-interface.ts';
import type { Effect } from '../effect.ts';
import { without } from '../state.ts';
import { find } from './refusals.ts';

export const deleteSmartContractInterfaceEffect: Effect<typeof deleteSmartContractInterface> = (
  { organization },
  { smartContractInterfaceId: id },
) => {
  const { interfaces } = organization;
  find(interfaces, id, 'smart contract interface', 'parameters.smartContractInterfaceId');
  return {
    result: { smartContractInterfaceId: id },
    organization: { ...organization, interfaces: without(interfaces, [id]) },
  };
};
