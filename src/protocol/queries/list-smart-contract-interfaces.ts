import * as v from 'valibot';
import { defineQuery } from '../activities/activity.ts';
import { uuid } from '../fields.ts';
import { smartContractInterface } from './objects.ts';

export const listSmartContractInterfaces = defineQuery({
  name: 'list_smart_contract_interfaces',
  summary: 'List the interfaces of contracts that an organization has',
  request: v.object({ organizationId: uuid }),
  response: v.object({ smartContractInterfaces: v.array(smartContractInterface) }),
});
