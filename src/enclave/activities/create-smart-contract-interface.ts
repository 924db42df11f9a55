import type { createSmartContractInterface } from '../../protocol/activities/create-smart-contract-interface.ts';
import type { Effect } from '../effect.ts';
import { put, type SmartContractInterface } from '../state.ts';
import { checkQuota } from './quotas.ts';
import { invalidField } from './refusals.ts';
import { checkInterface, contractAddress } from './smart-contract-interfaces.ts';

/** One interface for an address: of two, nobody could say by which a policy reads a call. */
export const createSmartContractInterfaceEffect: Effect<typeof createSmartContractInterface> = (
  { organization, now, newId },
  { type, smartContractAddress, smartContractInterface: json, label, notes },
) => {
  const held = [...organization.interfaces.values()];
  const field = 'parameters.smartContractInterface';
  const bytes = [...held.map((each) => each.json), json].reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  checkQuota('interfaces', held.length + 1, 'parameters');
  checkQuota('interfaceBytes', bytes, field);
  const address = contractAddress(type, smartContractAddress, 'parameters.smartContractAddress');
  if (held.some((each) => each.type === type && each.address === address)) {
    throw invalidField('parameters.smartContractAddress', 'smart contract interface address must be unique');
  }
  checkInterface(type, json, field);
  const added: SmartContractInterface = {
    id: newId(),
    address,
    type,
    json,
    label,
    notes,
    createdAt: now,
    updatedAt: now,
  };
  return {
    result: { smartContractInterfaceId: added.id },
    organization: { ...organization, interfaces: put(organization.interfaces, added) },
  };
};
