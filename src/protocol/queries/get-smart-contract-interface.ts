import * as v from 'valibot';
import { defineQuery } from '../activities/activity.ts';
import { uuid } from '../fields.ts';
import { smartContractInterface } from './objects.ts';

export const getSmartContractInterface = defineQuery({
  name: 'get_smart_contract_interface',
  summary: 'Get the interface of a contract',
  request: v.object({ organizationId: uuid, smartContractInterfaceId: uuid }),
  response: v.object({ smartContractInterface }),
});
