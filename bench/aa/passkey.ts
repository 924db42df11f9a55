/** A passkey that signs hashes as accounts on a chain take them (the encoding of `PasskeyAccount.sol`). */
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { p256 } from '@noble/curves/nist.js';
import { encodeAbiParameters, type Hex, hexToBytes, parseAbiParameters } from 'viem';

const assertion = parseAbiParameters(
  '(bytes authenticatorData, string clientDataJSON, uint256 challengeIndex, uint256 typeIndex, bytes32 r, bytes32 s)',
);
const half = p256.Point.Fn.ORDER / 2n;
const sha256 = (data: Uint8Array | string): Buffer => createHash('sha256').update(data).digest();
const hex = (bytes: Uint8Array): Hex => `0x${Buffer.from(bytes).toString('hex')}`;
const word = (value: bigint): Hex => `0x${value.toString(16).padStart(64, '0')}`;

export function createPasskey() {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
  return {
    x: hex(Buffer.from(x, 'base64url')),
    y: hex(Buffer.from(y, 'base64url')),

    /** The account's `signature` for an operation with this hash; s in the lower half, as verifiers on chain want it. */
    signHash(hash: Hex): Hex {
      const challenge = Buffer.from(hexToBytes(hash)).toString('base64url');
      const clientDataJSON = `{"type":"webauthn.get","challenge":"${challenge}","origin":"http://localhost:3000","crossOrigin":false}`;
      // Present and verified; a sign count of 0, as synced passkeys have.
      const authenticatorData = Buffer.concat([sha256('localhost'), Buffer.of(0x05, 0, 0, 0, 0)]);
      const signed = Buffer.concat([authenticatorData, sha256(clientDataJSON)]);
      const signature = sign('sha256', signed, { key: privateKey, dsaEncoding: 'ieee-p1363' });
      const s = BigInt(hex(signature.subarray(32)));
      return encodeAbiParameters(assertion, [
        {
          authenticatorData: hex(authenticatorData),
          clientDataJSON,
          challengeIndex: BigInt(clientDataJSON.indexOf('"challenge"')),
          typeIndex: BigInt(clientDataJSON.indexOf('"type"')),
          r: hex(signature.subarray(0, 32)),
          s: word(s > half ? p256.Point.Fn.ORDER - s : s),
        },
      ]);
    },
  };
}
