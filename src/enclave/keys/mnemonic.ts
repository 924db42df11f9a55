/** BIP-39 on Buffers, English words, empty passphrase. */
import { createHash, pbkdf2Sync } from 'node:crypto';
import { mnemonicToEntropy } from '@scure/bip39';
import { wordlist } from '@scure/bip39/wordlists/english.js';
import { invalidArgument } from '../../protocol/errors.ts';

export type MnemonicLength = 12 | 15 | 18 | 21 | 24;

/** Entropy of a mnemonic of `words` words: 16 to 32 bytes. */
export function newEntropy(words: MnemonicLength, random: (size: number) => Buffer): Buffer {
  return random((words / 3) * 4);
}

/** The words of `entropy`. Only for an export: a string cannot be zeroed. */
export function mnemonicOf(entropy: Buffer): string {
  return withSentence(entropy, (sentence) => sentence.toString('latin1'));
}

/** The entropy of a mnemonic; white space may vary. Throws INVALID_ARGUMENT that repeats no word. */
export function entropyOf(mnemonic: string): Buffer {
  try {
    const entropy = mnemonicToEntropy(mnemonic.trim().split(/\s+/).join(' '), wordlist);
    return Buffer.from(entropy.buffer, entropy.byteOffset, entropy.length);
  } catch {
    throw invalidArgument('invalid mnemonic: expected 12, 15, 18, 21 or 24 English BIP-39 words with a valid checksum');
  }
}

/** The BIP-39 seed of `entropy`, 64 bytes. */
export function seedOf(entropy: Buffer): Buffer {
  return withSentence(entropy, (sentence) => pbkdf2Sync(sentence, 'mnemonic', 2048, 64, 'sha512'));
}

/** Runs `use` on the mnemonic in a Buffer that is zeroed afterwards; @scure/bip39 only makes strings. */
function withSentence<T>(entropy: Buffer, use: (sentence: Buffer) => T): T {
  const checksum = createHash('sha256').update(entropy).digest().subarray(0, 1);
  const bits = Buffer.concat([entropy, checksum, Buffer.alloc(1)]);
  const words = (entropy.length / 4) * 3;
  const sentence = Buffer.alloc(words * 9);
  let length = 0;
  for (let word = 0; word < words; word++) {
    const bit = word * 11;
    const index = (bits.readUIntBE(bit >> 3, 3) >> (13 - (bit & 7))) & 0x7ff;
    length += sentence.write(word === 0 ? `${wordlist[index]}` : ` ${wordlist[index]}`, length, 'latin1');
  }
  try {
    return use(sentence.subarray(0, length));
  } finally {
    bits.fill(0);
    sentence.fill(0);
  }
}
