/**
 * Enclave Image Format, version 4, as AWS Nitro boots it (aws-nitro-enclaves-image-format): a header, then sections. All
 * numbers are big endian.
 */
import { createHash, hash } from 'node:crypto';
import { crc32 } from 'node:zlib';

export type Eif = {
  readonly kernel: Uint8Array;
  readonly cmdline: string;
  /** The first starts the machine; the others are the application. */
  readonly ramdisks: readonly Uint8Array[];
};

const magic = '.eif';
const version = 4;
const kinds = { kernel: 1, cmdline: 2, ramdisk: 3, signature: 4, metadata: 5 } as const;
const maxSections = 32;
/** Offsets in the header. */
const at = { version: 4, memory: 8, cpus: 16, count: 26, offsets: 28, sizes: 28 + maxSections * 8, checksum: 544 };
const headerSize = 548;
const sectionHeaderSize = 12;

/** Where the file says nothing else: bytes of memory, and processors. */
const [defaultMemory, defaultCpus] = [2n * 1024n ** 3n, 2n];

/** The file in parts. `metadata` is for readers; it is not measured. */
export function writeEif({ kernel, cmdline, ramdisks }: Eif, metadata: object): Uint8Array[] {
  const sections: (readonly [kind: number, content: Uint8Array])[] = [
    [kinds.kernel, kernel],
    [kinds.cmdline, Buffer.from(cmdline)],
    [kinds.metadata, Buffer.from(JSON.stringify(metadata))],
    ...ramdisks.map((content) => [kinds.ramdisk, content] as const),
  ];
  const header = Buffer.alloc(headerSize);
  header.write(magic, 'latin1');
  header.writeUInt16BE(version, at.version);
  header.writeBigUInt64BE(defaultMemory, at.memory);
  header.writeBigUInt64BE(defaultCpus, at.cpus);
  header.writeUInt16BE(sections.length, at.count);
  let offset = headerSize;
  const parts = sections.flatMap(([kind, content], index) => {
    header.writeBigUInt64BE(BigInt(offset), at.offsets + 8 * index);
    header.writeBigUInt64BE(BigInt(content.length), at.sizes + 8 * index);
    offset += sectionHeaderSize + content.length;
    const head = Buffer.alloc(sectionHeaderSize);
    head.writeUInt16BE(kind);
    head.writeBigUInt64BE(BigInt(content.length), 4);
    return [head, content];
  });
  header.writeUInt32BE(checksumOf(header, parts), at.checksum);
  return [header, ...parts];
}

/** Reads what `writeEif` and AWS's own tools write; throws for a file that is damaged or of another kind. */
export function readEif(file: Buffer): Eif & { readonly metadata: string | null } {
  const bad = (what: string): never => {
    throw new Error(`the image cannot be read: ${what}`);
  };
  if (file.length < headerSize || file.toString('latin1', 0, 4) !== magic) bad('it is no EIF');
  if (file.readUInt16BE(at.version) !== version) bad(`version ${file.readUInt16BE(at.version)}, expected ${version}`);
  const header = file.subarray(0, headerSize);
  if (checksumOf(header, [file.subarray(headerSize)]) !== file.readUInt32BE(at.checksum)) bad('its checksum is wrong');
  const count = file.readUInt16BE(at.count);
  if (count > maxSections) bad(`${count} sections, expected ${maxSections} at the most`);
  const sections = Array.from({ length: count }, (_, index) => {
    const start = Number(file.readBigUInt64BE(at.offsets + 8 * index)) + sectionHeaderSize;
    const end = start + Number(file.readBigUInt64BE(at.sizes + 8 * index));
    if (start < headerSize + sectionHeaderSize || end > file.length) bad(`section ${index} lies outside of it`);
    const size = Number(file.readBigUInt64BE(start - 8));
    if (size !== end - start) bad(`section ${index} has two sizes`);
    return { kind: file.readUInt16BE(start - sectionHeaderSize), content: file.subarray(start, end) };
  });
  const of = (kind: number) => sections.filter((section) => section.kind === kind).map(({ content }) => content);
  const [kernel, ...kernels] = of(kinds.kernel);
  const [cmdline, ...cmdlines] = of(kinds.cmdline);
  if (!kernel || !cmdline || kernels.length > 0 || cmdlines.length > 0) {
    return bad('expected one kernel and one command line');
  }
  const [metadata] = of(kinds.metadata);
  return {
    kernel,
    cmdline: cmdline.toString(),
    ramdisks: of(kinds.ramdisk),
    metadata: metadata?.toString() ?? null,
  };
}

export type Pcrs = { readonly pcr0: string; readonly pcr1: string; readonly pcr2: string };

/** What Nitro measures of an image, in hex: all of it, what starts the machine, the application. */
export function pcrsOf({ kernel, cmdline, ramdisks }: Eif): Pcrs {
  const [boot, ...application] = ramdisks;
  const start = [kernel, Buffer.from(cmdline), ...(boot ? [boot] : [])];
  return { pcr0: extend([...start, ...application]), pcr1: extend(start), pcr2: extend(application) };
}

/** SHA-384 of 48 zeros and of the digest of `parts`, one after another: a register that was extended once. */
function extend(parts: readonly Uint8Array[]): string {
  const digest = createHash('sha384');
  for (const part of parts) digest.update(part);
  return hash('sha384', Buffer.concat([Buffer.alloc(48), digest.digest()]), 'hex');
}

/** Of everything but the checksum itself, which is the header's end. */
const checksumOf = (header: Buffer, parts: readonly Uint8Array[]): number =>
  parts.reduce((checksum, part) => crc32(part, checksum), crc32(header.subarray(0, at.checksum)));
