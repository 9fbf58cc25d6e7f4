import fc from 'fast-check';

/** Pieces that mean something to the scanner, and such that do harm. */
const PIECE = fc.constantFrom(
  'stop',
  'I said no',
  'scared',
  'I was ',
  'hurt ',
  'for your own good',
  'everyone will know',
  'Oslo 2019',
  'Rome — 2020',
  'Kim: ',
  'Zoë: ',
  '[2019-01-02 10:00] ',
  '1/2/19 9:05 PM - ',
  '\n',
  '\n\n',
  '\r\n\r\n',
  '\r',
  '\u2028',
  ' ',
  '\t',
  '"',
  ',',
  '=1+1 ',
  '@',
  "'",
  '\\n',
  '😀',
  '\ud83d',
  '\u200d',
  'e\u0301',
  'İ',
  '再见',
  '\0',
  '\ufeff',
  '\u200e',
);

/** Logs of anything, mostly of what the scanner looks at. */
export const logs = fc
  .array(fc.oneof({ weight: 6, arbitrary: PIECE }, fc.string({ maxLength: 5 })), {
    maxLength: 60,
    size: 'max',
  })
  .map((pieces) => pieces.join(''));
