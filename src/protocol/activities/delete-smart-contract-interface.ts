import * as v from 'valibot';
import { uuid } from '../fields.ts';
import { defineActivity } from './activity.ts';

export const deleteSmartContractInterface = defineActivity({
  name: 'delete_smart_contract_interface',
  summary: 'Delete the interface of a contract',
  versions: {
    ACTIVITY_TYPE_DELETE_SMART_CONTRACT_INTERFACE: {
      intent: 'deleteSmartContractInterfaceIntent',
      result: 'deleteSmartContractInterfaceResult',
      parameters: v.strictObject({ smartContractInterfaceId: uuid }),
    },
  },
  result: v.object({ smartContractInterfaceId: v.string() }),
});
