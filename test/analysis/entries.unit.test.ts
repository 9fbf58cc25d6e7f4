import { hitsOf, scan } from './scan.js';

const texts = (input: string | Uint8Array): string[] => scan(input).events.map(({ text }) => text);

describe('entries', () => {
  test.each([
    ['LF', 'stop it\n\nno way'],
    ['CRLF', 'stop it\r\n\r\nno way\r\n'],
    ['CR alone', 'stop it\r\rno way\r'],
    ['U+2028 and U+2029', 'stop it\u2028\u2029no way'],
    ['white space in the blank line', 'stop it\n \t\u00a0\nno way'],
    ['many blank lines and no final newline', '\n\n\nstop it\n\n\n\nno way'],
    ['a byte order mark', '\ufeffstop it\n\nno way'],
  ])('paragraphs, with %s', (_name, input) => {
    expect(texts(input)).toEqual(['stop it', 'no way']);
  });

  test('lines without a blank line between them are one entry, without a speaker', () => {
    const { events } = scan('Kim: stop it\nBo: no way');
    expect(events).toMatchObject([{ entry: 0, speaker: '', text: 'Kim: stop it\nBo: no way' }]);
  });

  test.each([
    ['', 'an empty file'],
    ['\n \n\r\n\t\n', 'only blank lines'],
    ['Oslo 2019\n\nBergen 2020', 'only anchors'],
    ['Nothing here. Notable, nonetheless: a canopy, a nonstopping safehouse', 'harmless words'],
  ])('no events in %j: %s', (input) => {
    const { events, summary } = scan(input);
    expect(events).toEqual([]);
    expect([summary.events, summary.patterns, summary.contexts, summary.sequences]).toEqual([0, [], [], []]);
  });

  test('the row of the notes, to the letter', () => {
    const { events } = scan('Oslo 2019\n\nKim: I said no, please stop.');
    expect(events).toEqual([
      {
        index: 0,
        entry: 1,
        context: { place: 'Oslo', year: '2019', key: 'Oslo 2019' },
        speaker: 'Kim',
        fingerprint: '64dcd2c3affeff5f',
        hits: [{ category: 'BOUNDARY_LANGUAGE', strength: 'PHRASE' }],
        text: 'I said no, please stop.',
      },
    ]);
  });
});

describe('anchors', () => {
  test.each([
    ['Oslo 2019', 'Oslo 2019'],
    ['Oslo, 2019', 'Oslo 2019'],
    ['Oslo - 2019', 'Oslo 2019'],
    ['Oslo — 2019', 'Oslo 2019'],
    ['Oslo 1900', 'Oslo 1900'],
    ['Oslo 2099', 'Oslo 2099'],
    ["St. John's-by-the-Sea 2001", "St. John's-by-the-Sea 2001"],
    ['Tromsø 2020', 'Tromsø 2020'],
    [`A${'b'.repeat(60)}, 2019`, `A${'b'.repeat(60)} 2019`],
  ])('%s', (anchor, key) => {
    expect(scan(`${anchor}\n\nstop`).events).toMatchObject([{ entry: 1, context: { key } }]);
  });

  test.each([
    'Oslo 1899',
    'Oslo 2100',
    '2019',
    'Oslo 2019.',
    'Oslo; 2019',
    'Осло 2019',
    'O,2019',
    `A${'b'.repeat(61)}, 2019`,
    'Oslo 2019\nBergen 2020',
  ])('%j is none', (text) => {
    expect(scan(`${text}\n\nstop`).events).toMatchObject([{ context: { key: 'UNANCHORED' } }]);
  });

  test('two in a row: the second holds; one that comes again counts on', () => {
    const { events, summary } = scan(
      'Oslo 2019\n\nRome 2020\n\nstop\n\nOslo 2019\n\nno\n\nRome 2020\n\nscared',
    );
    expect(events.map(({ context }) => context.key)).toEqual(['Rome 2020', 'Oslo 2019', 'Rome 2020']);
    expect(summary.contexts.map(([key]) => key)).toEqual(['Rome 2020', 'Oslo 2019']);
    expect(events.map(({ entry }) => entry)).toEqual([2, 4, 6]);
  });
});

describe('speakers and time stamps', () => {
  test.each([
    ['Kim: stop', 'Kim', 'stop'],
    ['Kim:stop', 'Kim', 'stop'],
    ["Zoë O'Hara-Lee Jr. 3: stop", "Zoë O'Hara-Lee Jr. 3", 'stop'],
    ['Note: stop', 'Note', 'stop'],
    ['https://stop.example', 'https', '//stop.example'],
    ['[2019-01-02 10:00] Kim: stop', 'Kim', 'stop'],
    ['2019-01-02 Kim: stop', 'Kim', 'stop'],
    ['1/2/19 9:05 PM - Kim: stop', 'Kim', 'stop'],
    ['12/31/2019, 10:15:30 - Kim: stop', 'Kim', 'stop'],
    ['Kim: 2019-01-02 10:00 stop', 'Kim', 'stop'],
    ['[1/2/2019] stop', '', 'stop'],
    ['[2019-01-02 10:00] 2019-01-02 stop', '', '2019-01-02 stop'],
    ['[2019-01-02 stop', '', '[2019-01-02 stop'],
    ['2019-13-41 stop', '', '2019-13-41 stop'],
    ['1/2/20191 stop', '', '1/2/20191 stop'],
    ['K: stop', '', 'K: stop'],
    ['9Kim: stop', '', '9Kim: stop'],
    ['Kim; stop: no', '', 'Kim; stop: no'],
    [`A${'b'.repeat(50)}: stop`, `A${'b'.repeat(50)}`, 'stop'],
    [`A${'b'.repeat(51)}: stop`, '', `A${'b'.repeat(51)}: stop`],
  ])('%s', (entry, speaker, text) => {
    expect(scan(entry).events).toMatchObject([{ speaker, text }]);
  });

  test('an entry that is nothing but a time stamp or a name says nothing', () => {
    expect(scan('2019-01-02 10:00\n\n[1/2/2019]\n\nStop:').events).toMatchObject([{ text: 'Stop:' }]);
  });
});

describe('repetitions', () => {
  test('the same sentence by another person, in another context, typed in another way, is dropped', () => {
    const { events, repeated, entries } = scan(
      'Kim: Please “stop”.\n\nBo: please "stop".\n\nOslo 2019\n\nPLEASE\u00a0\u00a0"STOP".\n\nplease "stop"!',
    );
    expect(events.map(({ entry, text }) => [entry, text])).toEqual([
      [0, 'Please “stop”.'],
      [4, 'please "stop"!'],
    ]);
    expect([repeated, entries]).toEqual([2, 4]);
  });
});

describe('whole words', () => {
  test.each(['éno', 'no再', 'ñstop', 'nó', 'no\u0301', 'no1', '١no', '𝓪no', 'nono', 'stoppage'])(
    '%s is no hit',
    (text) => expect(hitsOf(text)).toEqual([]),
  );

  test.each([
    'no',
    'NO!',
    '👍no👍',
    '_no_',
    '*no*',
    '(no)',
    'no\u200f',
    'n\u200do',
    '再见 no',
    'oh no…',
    'yes/no',
    '\u202eno',
    "'no'",
  ])('%s is one', (text) => expect(hitsOf(text)).toEqual(['BOUNDARY_LANGUAGE:TOKEN']));

  test('İ is not i, and lower case that grows shifts nothing', () => {
    expect(hitsOf('İİİİ stop')).toEqual(['BOUNDARY_LANGUAGE:TOKEN']);
    expect(hitsOf('watchİng')).toEqual([]);
  });

  test('decomposed letters are the composed ones', () => {
    expect(hitsOf('mi contrasen\u0303a', { languages: ['es'] })).toEqual(['CONTROL_ACCESS:TOKEN']);
  });

  test('NUL and broken bytes part words and are told', () => {
    const { events, unreadable } = scan(Buffer.from([...Buffer.from('stop'), 0, 0xff, ...Buffer.from('no')]));
    expect(events).toMatchObject([{ text: 'stop\ufffd\ufffdno' }]);
    expect(unreadable).toBe(2);
  });
});

describe('phrases', () => {
  test.each([
    ["I'm scared", 'HARM_LANGUAGE:PHRASE'],
    ['Im so scared', 'HARM_LANGUAGE:PHRASE'],
    ['I’m scared', 'HARM_LANGUAGE:PHRASE'],
    ['I was, all that week, very scared', 'HARM_LANGUAGE:PHRASE'],
    ['you made me cry and then I got scared', 'HARM_LANGUAGE:PHRASE'],
    ['scared I was', 'HARM_LANGUAGE:TOKEN'],
    ['I\nwas scared', 'HARM_LANGUAGE:TOKEN'],
    ['I was\nscared', 'HARM_LANGUAGE:TOKEN'],
    ['you can’t access it', 'CONTROL_ACCESS:PHRASE'],
    ['you cant access it', 'CONTROL_ACCESS:PHRASE'],
  ])('%j', (text, hit) => expect(hitsOf(text)).toEqual([hit]));

  test('one text with all six, each once, the phrase before the token', () => {
    expect(
      hitsOf(
        "I was scared, scared. I said no. For your own good. Everyone will know. I've recorded you. Access to your account, password.",
      ),
    ).toEqual([
      'BOUNDARY_LANGUAGE:PHRASE',
      'CONTROL_ACCESS:PHRASE',
      'HARM_LANGUAGE:PHRASE',
      'PROTECTOR_CLAIM:PHRASE',
      'SURVEILLANCE_CLAIM:PHRASE',
      'THREAT_OF_EXPOSURE:PHRASE',
    ]);
  });

  test('phrases that overlap are both found', () => {
    // "for your own" begins both, and "asked you to" goes on as something else first.
    expect(hitsOf('asked you to asked you to stop')).toEqual(['BOUNDARY_LANGUAGE:PHRASE']);
    expect(hitsOf('for your own for your own good')).toEqual(['PROTECTOR_CLAIM:PHRASE']);
  });
});
