import type { SmartContractInterfaceObject } from '../../protocol/queries/objects.ts';
import type { SmartContractInterface } from '../state.ts';
import { timesView } from './times.ts';

export const smartContractInterfaceView =
  (organizationId: string) =>
  ({ id, address, json, type, label, notes, ...times }: SmartContractInterface): SmartContractInterfaceObject => ({
    organizationId,
    smartContractInterfaceId: id,
    smartContractAddress: address,
    smartContractInterface: json,
    type,
    label,
    notes,
    ...timesView(times),
  });
