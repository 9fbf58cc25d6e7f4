import { scan } from './scan.js';

const utf16 = (text: string, big: boolean): Buffer => {
  const bytes = Buffer.from(text, 'utf16le');
  return big ? bytes.swap16() : bytes;
};

describe('encodings', () => {
  const text = 'Oslo 2019\n\nI said no, please stop. — “José”';
  const fine = { context: { key: 'Oslo 2019' }, text: 'I said no, please stop. — “José”' };

  test.each([
    ['utf-8', Buffer.from(text)],
    ['utf-8', Buffer.from(`\ufeff${text}`)],
    ['utf-16le', utf16(`\ufeff${text}`, false)],
    ['utf-16be', utf16(`\ufeff${text}`, true)],
    ['utf-16le', utf16(text, false)],
    ['utf-16be', utf16(text, true)],
    [
      'windows-1252',
      Buffer.from(text.replace('—', '\x97').replace('“', '\x93').replace('”', '\x94'), 'latin1'),
    ],
  ])('%s is recognised', (encoding, bytes) => {
    expect(scan(bytes)).toMatchObject({ encoding, events: [fine], unreadable: 0 });
  });

  test('a stray byte does not make another encoding of UTF-8', () => {
    const bytes = Buffer.concat([Buffer.from('José: stop '), Buffer.from([0xe9, 0x20, 0xe9])]);
    expect(scan(bytes)).toMatchObject({ encoding: 'utf-8', events: [{ speaker: 'José' }], unreadable: 2 });
    const letters = Buffer.concat([Buffer.from('À À stop '), Buffer.from([0xe9])]);
    expect(scan(letters)).toMatchObject({ encoding: 'utf-8', events: [{ text: 'À À stop \ufffd' }] });
    expect(scan(Buffer.from([0x73, 0x74, 0x6f, 0x70, 0x20, 0xff]))).toMatchObject({
      encoding: 'utf-8',
      events: [{ text: 'stop \ufffd' }],
    });
  });

  test('one can be chosen', () => {
    expect(scan(Buffer.from('stop é', 'latin1'), { encoding: 'windows-1252' }).events).toMatchObject([
      { text: 'stop é' },
    ]);
  });

  test('UTF-32 is refused with what to do', () => {
    expect(() => scan(Buffer.from([0xff, 0xfe, 0, 0, 0x73, 0, 0, 0]))).toThrow('Save it as UTF-8');
  });
});
