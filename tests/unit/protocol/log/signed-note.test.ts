import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { parseCheckpoint, parseExtensions } from '../../../../src/protocol/log/checkpoint.ts';
import { NoteError, parseNote, parseVerifierKey, verifyNote } from '../../../../src/protocol/log/signed-note.ts';

/** The example of C2SP signed-note. */
const vkey = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k';
const line =
  '— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n';
const example = `This is an example message.\n\n${line}`;

const verify = (note: string, ...keys: string[]) => verifyNote(parseNote(note), keys.map(parseVerifierKey));

/** A key of one's own: `type` 1 signs the text, 4 the text with a time. */
function newKey(name: string, type: 1 | 4 = 1) {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const typed = Buffer.concat([Buffer.of(type), publicKey.export({ format: 'der', type: 'spki' }).subarray(-32)]);
  const id = createHash('sha256').update(`${name}\n`).update(typed).digest().subarray(0, 4);
  return {
    vkey: `${name}+${id.toString('hex')}+${typed.toString('base64')}`,
    line(text: string, time = 1_700_000_000) {
      const stamp = Buffer.alloc(8);
      stamp.writeBigUInt64BE(BigInt(time));
      const message = type === 1 ? text : `cosignature/v1\ntime ${time}\n${text}`;
      const signature = sign(null, Buffer.from(message), privateKey);
      const blob = Buffer.concat([id, ...(type === 1 ? [] : [stamp]), signature]);
      return `— ${name} ${blob.toString('base64')}\n`;
    },
  };
}

describe('signed notes', () => {
  test('the example of the specification', async () => {
    const [signer] = await verify(example, vkey);
    expect(signer?.key.name).toBe('example.com/foo');
    expect(parseNote(example).text).toBe('This is an example message.\n');
  });

  test('each byte of it', async () => {
    const bytes = Buffer.from(example);
    for (let at = 0; at < bytes.length; at++) {
      const altered = Buffer.from(bytes);
      altered[at] = (altered[at] as number) ^ 1;
      const attempt = (async () => verify(altered.toString('utf8'), vkey))();
      await expect(attempt, `byte ${at}`).rejects.toThrow(NoteError);
    }
  });

  test('signatures of others do not count, known ones all have to be right', async () => {
    const [ours, theirs, witness] = [newKey('ours'), newKey('theirs'), newKey('witness', 4)];
    const text = 'text\n';
    const all = `${text}\n${theirs.line(text)}${ours.line(text)}${witness.line(text)}`;
    expect((await verify(all, ours.vkey)).length).toBe(1);
    const signers = await verify(all, ours.vkey, witness.vkey, theirs.vkey);
    expect(signers.map(({ key, time }) => [key.name, time])).toEqual([
      ['theirs', undefined],
      ['ours', undefined],
      ['witness', 1_700_000_000],
    ]);
    await expect(verify(all, newKey('ours').vkey)).rejects.toThrow('not signed by ours');
    for (const wrong of [ours.line('other\n'), witness.line('other\n')]) {
      await expect(verify(`${all}${wrong}`, ours.vkey, witness.vkey)).rejects.toThrow('is wrong');
    }
  });

  test('text may have empty lines; the last one ends it', async () => {
    const key = newKey('ours');
    const text = 'one\n\ntwo\n';
    const note = `${text}\n${key.line(text)}`;
    await verify(note, key.vkey);
    expect(parseNote(note).text).toBe(text);
  });

  test.each([
    ['nothing', ''],
    ['no signature', 'text\n\n'],
    ['no empty line', `text\n${line}`],
    ['no last line feed', example.slice(0, -1)],
    ['a carriage return', example.replace('\n', '\r\n')],
    ['a hyphen for the dash', example.replace('—', '-')],
    ['base64 that is not canonical', example.replace('aQM=', 'aQN=')],
    ['base64 without padding', example.replace('aQM=', 'aQM')],
    ['a signature of no bytes', 'text\n\n— name AAAAAA==\n'],
    ['half a character', `\ud800${example}`],
    ['too many signatures', `text\n\n${line.repeat(101)}`],
    ['a megabyte', `${'a'.repeat(1_000_000)}\n\n${line}`],
  ])('%s: no note', (_, note) => {
    expect(() => parseNote(note)).toThrow(NoteError);
  });

  test.each([
    ['another id', vkey.replace('530d', '530e')],
    ['another name', vkey.replace('foo', 'bar')],
    ['another type', 'n+00000000+AukyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k'],
    ['a byte less', vkey.slice(0, -4)],
    ['no parts', 'example.com'],
    ['a name with a space', vkey.replace('/', ' ')],
  ])('%s: no verifier key', (_, text) => {
    expect(() => parseVerifierKey(text)).toThrow(NoteError);
  });
});

describe('checkpoints', () => {
  const hash = Buffer.alloc(32, 7).toString('base64');
  const text = `countersign/00\n12\n${hash}\nmap ${hash}\nbatch 3 epoch 1\nsettings ${hash}\nenclave ${hash}\n`;

  test('origin, size, root and our own lines', () => {
    const checkpoint = parseCheckpoint(text);
    expect(checkpoint).toMatchObject({ origin: 'countersign/00', size: 12 });
    expect(Buffer.from(checkpoint.root)).toEqual(Buffer.alloc(32, 7));
    expect(parseExtensions(checkpoint.extensions)).toMatchObject({ batch: 3, epoch: 1 });
  });

  test('those of others have lines of their own, or none', () => {
    expect(parseCheckpoint(`example.com/log\n0\n${hash}\n`).extensions).toEqual([]);
    expect(parseCheckpoint(`example.com/log\n0\n${hash}\nanything\n`).extensions).toEqual(['anything']);
  });

  test.each([
    ['no origin', text.replace('countersign/00', '')],
    ['zeros in front', text.replace('12', '012')],
    ['a size below 0', text.replace('12', '-1')],
    ['a size beyond 2^53', text.replace('12', '9007199254740993')],
    ['a short root', text.replace(hash, Buffer.alloc(31).toString('base64'))],
    ['an empty line', text.replace('map', '\nmap')],
    ['nothing', ''],
  ])('%s: no checkpoint', (_, altered) => {
    expect(() => parseCheckpoint(altered)).toThrow(NoteError);
  });

  test.each(['map', 'batch', 'settings', 'enclave'])('without `%s`, or with two: none of Countersign’s', (word) => {
    const lines = parseCheckpoint(text).extensions;
    const own = lines.filter((line) => line.startsWith(word));
    expect(() => parseExtensions(lines.filter((line) => !line.startsWith(word)))).toThrow(word);
    expect(() => parseExtensions([...lines, ...own])).toThrow(word);
  });
});
