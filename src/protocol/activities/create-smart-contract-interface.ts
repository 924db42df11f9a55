import * as v from 'valibot';
import { label, text } from '../fields.ts';
import { defineActivity } from './activity.ts';
import { notes } from './policy-fields.ts';

export const createSmartContractInterface = defineActivity({
  name: 'create_smart_contract_interface',
  summary: 'Upload the interface of a contract (ABI) or program (IDL), so that policies know its functions',
  versions: {
    ACTIVITY_TYPE_CREATE_SMART_CONTRACT_INTERFACE: {
      intent: 'createSmartContractInterfaceIntent',
      result: 'createSmartContractInterfaceResult',
      parameters: v.strictObject({
        smartContractAddress: text(255),
        // Its length is checked with the rest of it: an ABI has one error for all that is wrong with it.
        smartContractInterface: text(1_048_576),
        type: v.picklist(
          ['SMART_CONTRACT_INTERFACE_TYPE_ETHEREUM', 'SMART_CONTRACT_INTERFACE_TYPE_SOLANA'],
          'invalid smart contract interface type',
        ),
        label,
        notes: v.exactOptional(notes, ''),
      }),
    },
  },
  result: v.object({ smartContractInterfaceId: v.string() }),
});
