import type { listSmartContractInterfaces } from '../../protocol/queries/list-smart-contract-interfaces.ts';
import type { Answer } from '../answer.ts';
import { smartContractInterfaceView } from '../views/smart-contract-interface.ts';
import { byCreation } from './by-creation.ts';

export const listSmartContractInterfacesAnswer: Answer<typeof listSmartContractInterfaces> = ({ organization }) => ({
  smartContractInterfaces: byCreation(organization.interfaces).map(smartContractInterfaceView(organization.id)),
});
