/** The sealing providers by name. Each is loaded when it is used: a default start needs none of their code. */
import type { SealingName } from '../../protocol/sealing-names.ts';
import type { BootIdentity } from '../attestation/statement.ts';
import type { EnclaveSettings } from '../settings.ts';
import { localFile } from './local-file.ts';
import type { SealingProvider, Waiting } from './provider.ts';
import { writeNextSealing } from './sealing-file.ts';

export type SealingPlaces = Pick<EnclaveSettings, 'folder' | 'tpm' | 'tpmPcrs' | 'dstackSocket' | 'nsmSocket' | 'kms'>;

export async function openProvider(
  name: SealingName,
  places: SealingPlaces,
  identity: BootIdentity,
  waiting: Waiting,
): Promise<SealingProvider> {
  switch (name) {
    case 'local-file':
      return localFile;
    case 'tpm2':
      return (await import('./tpm2.ts')).tpm2(places.tpm, places.tpmPcrs);
    case 'dstack':
      return (await import('./dstack.ts')).dstack(places.dstackSocket);
    case 'nitro-kms':
      return (await import('./nitro-kms.ts')).nitroKms(places);
    case 'quorum-shares':
      return (await import('./quorum-shares.ts')).quorumShares({
        folder: places.folder,
        boot: { ...identity, publicKey: identity.encryptionKey },
        waiting,
        replace: (sealed) => writeNextSealing(places.folder, { provider: name, sealed }),
      });
  }
}
