import { checksumAddress } from '../ethereum-address.ts';
import { hexToBytes } from '../hex.ts';
import { parseRfc3339 } from './rfc3339.ts';
import { struct } from './value.ts';

/** A message of Sign-In with Ethereum; times in nanoseconds since 1970. */
export type SiweFacts = {
  /** Empty where there is none. */
  readonly scheme: string;
  readonly domain: string;
  readonly address: string;
  readonly statement: string | undefined;
  readonly uri: string;
  readonly version: string;
  readonly chain_id: bigint;
  readonly nonce: string;
  readonly issued_at: bigint;
  readonly expiration_time: bigint | undefined;
  readonly not_before: bigint | undefined;
  readonly request_id: string | undefined;
  readonly resources: readonly string[];
};

const uri = "[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9._~:/?#\\[\\]@!$&'()*+,;=%-]*";
const time = '[0-9TtZz:.+-]{20,40}';

/** The grammar of EIP-4361, "Message Format". Each line has one form, and none of them a line break: no backtracking. */
const form = new RegExp(
  [
    `^(?:(?<scheme>[A-Za-z][A-Za-z0-9+.-]*)://)?(?<domain>[A-Za-z0-9._~:\\[\\]@!$&'()*+,;=%-]+)`,
    ' wants you to sign in with your Ethereum account:\\n',
    '(?<address>0x[0-9a-fA-F]{40})\\n\\n',
    '(?:(?<statement>[\\x20-\\x7e]+)\\n)?\\n',
    `URI: (?<uri>${uri})\\n`,
    'Version: (?<version>1)\\n',
    'Chain ID: (?<chainId>0|[1-9][0-9]{0,77})\\n',
    'Nonce: (?<nonce>[A-Za-z0-9]{8,})\\n',
    `Issued At: (?<issuedAt>${time})`,
    `(?:\\nExpiration Time: (?<expirationTime>${time}))?`,
    `(?:\\nNot Before: (?<notBefore>${time}))?`,
    "(?:\\nRequest ID: (?<requestId>[A-Za-z0-9._~!$&'()*+,;=:@%-]*))?",
    `(?:\\nResources:(?<resources>(?:\\n- ${uri})*))?$`,
  ].join(''),
);

const maxResources = 256;

/** What a message has to have for a person, or a verifier that is not strict, to take it for one of EIP-4361. */
export const looksLikeSiwe = (text: string): boolean => /wants\s+you\s+to\s+sign\s+in/i.test(text);

/** The fields of `text`, where it is a message of Sign-In with Ethereum to the letter (EIP-4361); undefined otherwise. */
export function parseSiwe(text: string): SiweFacts | undefined {
  const groups = form.exec(text)?.groups;
  if (!groups) return undefined;
  const { address = '', expirationTime, notBefore, resources = '' } = groups;
  const isChecksummed = checksumAddress(hexToBytes(address) as Buffer) === address;
  const issuedAt = parseRfc3339(groups.issuedAt as string);
  const [expires, starts] = [expirationTime, notBefore].map((given) => (given ? parseRfc3339(given) : null));
  const listed = resources.split('\n- ').slice(1);
  if (listed.length > maxResources) return undefined;
  if (!isChecksummed || issuedAt === undefined || expires === undefined || starts === undefined) return undefined;
  return struct({
    scheme: groups.scheme ?? '',
    domain: groups.domain as string,
    address: address.toLowerCase(),
    statement: groups.statement,
    uri: groups.uri as string,
    version: groups.version as string,
    chain_id: BigInt(groups.chainId as string),
    nonce: groups.nonce as string,
    issued_at: issuedAt,
    expiration_time: expires ?? undefined,
    not_before: starts ?? undefined,
    request_id: groups.requestId,
    resources: listed,
  });
}
