import fc from 'fast-check';
import type { Scanned } from './scan.js';
import { scan } from './scan.js';

const said = ({ events }: Scanned): string[] =>
  events.map(({ entry, speaker, text }) => `${entry} ${speaker}: ${text}`);

test('the names of a CSV are read in one go, however long one is', () => {
  const long = `"x${' '.repeat(2_000_000)}x"`;
  const csv = `sender,${long},text\nKim,,no\n`;
  expect(said(scan(csv, { format: 'csv' }))).toEqual(['0 Kim: no']);
});

describe('WhatsApp', () => {
  const IOS = [
    '\u200e[14.08.24, 21:00:10] Group: \u200eMessages and calls are end-to-end encrypted. No one can stop.',
    '[14.08.24, 21:00:11] Kim: I said no',
    '',
    'and stop',
    '\u200e[14.08.24, 21:01:02] Kim: \u200eimage omitted',
    'look, scared',
    '[14.08.24, 21:02:00] ~\u00a0Bo: this hurt \u200e<This message was edited>',
    '[15.08.24, 21:02:00] \u202a+47 900\u202c: null',
  ].join('\r\n');

  test('of iOS: messages with blank lines, captions, edits, what the phone itself says', () => {
    const scanned = scan(IOS);
    expect(scanned).toMatchObject({ format: 'whatsapp', dateOrder: 'day', entries: 5 });
    expect(said(scanned)).toEqual(['1 Kim: I said no\n\nand stop', '2 Kim: look, scared', '3 Bo: this hurt']);
    expect(scanned.timeline.map(([month, counts]) => [month, [...counts].reduce((a, b) => a + b)])).toEqual([
      ['2024-08', 3],
    ]);
  });

  test('of Android, with a narrow space before PM', () => {
    const chat = [
      '8/14/24, 9:00\u202fPM - Messages are encrypted. Tap to stop.',
      '8/14/24, 9:00\u202fPM - Kim: stop: it',
      '8/14/24, 9:01\u202fPM - Bo: <Media omitted>',
      '8/14/24, 9:01\u202fPM - Bo: IMG-1.jpg (file attached)',
      'no caption',
      '8/14/24, 9:02\u202fPM - Bo: This message was deleted',
      '8/14/24, 9:02\u202fPM - Kim changed the link to https://stop.example',
      '8/14/24, 9:03\u202fPM - Kim changed the name to "No: more"',
    ].join('\n');
    expect(scan(chat)).toMatchObject({ format: 'whatsapp', dateOrder: 'month', entries: 7 });
    expect(said(scan(chat))).toEqual(['1 Kim: stop: it', '3 Bo: no caption']);
  });

  test.each([
    ['d/m/yy', '14/08/24, 21:00 - '],
    ['d.m.yy and dots in the time', '14.08.24 21.00 - '],
    ['yyyy/m/d', '2024/8/14 21:00 - '],
    ['yyyy-mm-dd in brackets', '[2024-08-14, 21:00:10] '],
    ['d-m-yy', '14-08-24 21:00 - '],
    ['spaces in the date', '14/ 08/ 2024, 21:00 - '],
    ['French', '14/08/2024 à 21:00 - '],
    ['a.m.', '14/8/2024, 9:00 a. m. - '],
    ['p. m. with no-break spaces', '14/8/2024, 9:00\u00a0p.\u00a0m. - '],
    ['Chinese', '2024/8/14 下午9:00 - '],
    ['Korean', '[2024. 8. 14. 오후 9:00:10] '],
  ])('%s', (_name, stamp) => {
    const chat = ['Kim: stop', 'Claire : no', 'Bob:scared'].map((line) => stamp + line).join('\n');
    expect(scan(chat).format).toBe('whatsapp');
    expect(said(scan(chat))).toEqual(['0 Kim: stop', '1 Claire: no', '2 Bob: scared']);
  });

  test('the order of day and month: by a field that is no month, by time going forward, or not at all', () => {
    const order = (...dates: string[]): unknown =>
      scan(dates.map((date) => `${date}, 10:00 - Kim: hello`).join('\n')).dateOrder;
    expect(order('1/2/24', '1/3/24', '13/3/24')).toBe('day');
    expect(order('1/2/24', '1/13/24', '2/3/24')).toBe('month');
    expect(order('1/2/24', '2/2/24', '3/2/24', '1/3/24')).toBe('day');
    expect(order('2/1/24', '2/2/24', '2/3/24', '3/1/24')).toBe('month');
    expect(order('1/1/24', '2/2/24', '3/3/24')).toBe('ambiguous');
    expect(order('2024-01-02', '2024-01-03', '2024-01-04')).toBe('year');
  });

  test('paragraphs that begin with a time are none, with anchors or blank lines', () => {
    const lines = [1, 2, 3, 4].map((n) => `[2019-01-0${n} 10:00] Kim: stop ${n}`);
    expect(scan(lines.join('\n\n')).format).toBe('text');
    expect(scan(['Oslo 2019', '', ...lines].join('\n')).format).toBe('text');
    expect(scan(lines.join('\n')).format).toBe('whatsapp');
    expect(scan(lines.join('\n'), { format: 'text' }).events).toHaveLength(1);
  });
});

describe('Telegram', () => {
  const message = (id: number, content: object): object => ({
    id,
    type: 'message',
    date: '2024-08-14T21:00:10',
    date_unixtime: '1723662010',
    from: 'Kim',
    from_id: 'user7',
    ...content,
  });
  const messages = [
    message(1, { text: ['I said ', { type: 'bold', text: 'no' }, ' "}]{"'] }),
    message(2, { type: 'service', action: 'invite', text: 'stop' }),
    message(3, { from: null, text: 'stop\r\n\r\nit \u2028 \\' }),
    message(4, { text: '' }),
    message(5, { text: 7 }),
    message(6, { text: 'scared', reply: { messages: [{ text: 'no' }] } }),
  ];
  const chat = { name: 'Kim', type: 'personal_chat', id: 7, messages };

  test.each([
    ['a chat', chat],
    ['a whole account', { about: 'x', chats: { about: '', list: [chat] } }],
  ])('%s', (_name, json) => {
    for (const text of [JSON.stringify(json), JSON.stringify(json, null, 2)]) {
      const scanned = scan(text);
      expect(scanned).toMatchObject({ format: 'telegram', dateOrder: 'year', entries: 6 });
      expect(said(scanned)).toEqual(['0 Kim: I said no "}]{"', '2 : stop\n\nit \n \\', '5 Kim: scared']);
    }
  });

  test('any chunking gives the same result', () => {
    const bytes = Buffer.from(JSON.stringify(chat));
    const whole = scan(bytes, { format: 'telegram' });
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length), { maxLength: 20 }), (cuts) => {
        expect(scan(bytes, { format: 'telegram' }, cuts)).toEqual(whole);
      }),
    );
    expect(scan(bytes, { format: 'telegram' }, [...bytes.keys()])).toEqual(whole);
  });

  test.each([
    ['cut off', JSON.stringify(chat).slice(0, -20), 'ends in the middle'],
    ['closed wrongly', '{"messages":[{"type":"message"]}', 'cannot be read'],
    ['broken in a message', '{"messages":[{"type":"message",}]}', 'cannot be read'],
    ['too deep', `{"messages":${'['.repeat(100)}`, 'nested'],
    ['one huge message', `{"messages":[{"type":"message","text":"${'x'.repeat(1_100_000)}"}]}`, 'a million'],
  ])('%s is refused with a sentence that quotes nothing', (_name, text, reason) => {
    expect(() => scan(text, { format: 'telegram' })).toThrow(reason);
  });
});

describe('CSV', () => {
  test.each([',', ';', '\t'])('parted by %j, with quotes and line breaks in cells', (delimiter) => {
    const rows = [
      ['Date', 'Author', '"Content"'],
      ['2024-08-14 21:00', 'Kim', '"I said ""no"",\r\n\r\nplease; stop\t"'],
      ['1723662010', 'Bo', 'scared "now"'],
      ['14/08/2024', '', '""'],
      ['8/14/2024 9:00 PM', '"Zoë"', 'hurt'],
    ];
    const scanned = scan(`\ufeff${rows.map((row) => row.join(delimiter)).join('\r\n')}\r\n`);
    expect(scanned).toMatchObject({ format: 'csv', entries: 4 });
    expect(said(scanned)).toEqual([
      '0 Kim: I said "no",\n\nplease; stop',
      '1 Bo: scared "now"',
      '3 Zoë: hurt',
    ]);
  });

  test.each([
    ['no text', 'id,from,when\n1,Kim,stop'],
    ['neither who nor when', 'id,text\n1,stop'],
    ['a sentence', 'a text, from me\n\nstop'],
    ['a single column', 'text\nstop'],
  ])('a first line with %s makes it text', (_name, text) => {
    expect(scan(text).format).toBe('text');
  });

  test('chosen without the names of columns it says what is missing', () => {
    expect(() => scan('1,stop\n2,no', { format: 'csv' })).toThrow('must name the columns');
    expect(() => scan('', { format: 'csv' })).not.toThrow();
  });

  test('any chunking gives the same result', () => {
    const cell = fc.string({
      unit: fc.constantFrom('"', ',', '\n', '\r', 'no', 'stop ', ' ', 'x'),
      maxLength: 8,
    });
    fc.assert(
      fc.property(
        fc.array(cell, { maxLength: 12 }),
        fc.array(fc.nat(200), { maxLength: 12 }),
        (cells, cuts) => {
          const bytes = Buffer.from(`from,text\n${cells.join(',')}`);
          expect(scan(bytes, { format: 'csv' }, cuts)).toEqual(scan(bytes, { format: 'csv' }));
        },
      ),
    );
  });
});
