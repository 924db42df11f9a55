import { hexToBytes } from './hex.ts';
import { keccak256 } from './keccak.ts';

/** An address of 20 bytes with the capitals of EIP-55. */
export function checksumAddress(address: Buffer): string {
  const hex = address.toString('hex');
  const hash = keccak256(Buffer.from(hex, 'latin1')).toString('hex');
  return `0x${hex.replace(/[a-f]/g, (letter, at: number) => ((hash[at] as string) >= '8' ? letter.toUpperCase() : letter))}`;
}

/**
 * The 20 bytes of `0x` and 40 digits, all lower case, all upper case, or with the right capitals of EIP-55: mixed ones that
 * are wrong are a typing error. undefined for anything else.
 */
export function parseAddress(text: string): Buffer | undefined {
  if (text.length !== 42 || !text.startsWith('0x')) return undefined;
  const address = hexToBytes(text);
  const mixed = /[a-f]/.test(text) && /[A-F]/.test(text);
  return address && (!mixed || isChecksummed(text, address)) ? address : undefined;
}

/** Texts whose capitals were found right: the same addresses come again and again, and a hash takes longer than the rest. */
const checked = new Set<string>();

function isChecksummed(text: string, address: Buffer): boolean {
  if (checked.has(text)) return true;
  if (checksumAddress(address) !== text) return false;
  if (checked.size === 4096) checked.clear();
  checked.add(text);
  return true;
}
