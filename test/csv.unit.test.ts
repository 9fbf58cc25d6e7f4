import fc from 'fast-check';
import { csvLine, readCsv } from '../src/csv.js';
import { parseCsv } from './audit/parseCsv.js';

const text = fc.string({
  unit: fc.constantFrom('a', '"', ',', '\r', '\n', '=', '+', '-', '@', '\t', "'", 'é', '😀', ' '),
});

it('a line is read back as it was written, and nothing begins a formula: an apostrophe stands before it', () => {
  fc.assert(
    fc.property(fc.array(fc.array(text, { minLength: 1, maxLength: 4 }), { maxLength: 4 }), (rows) => {
      const read = parseCsv(rows.map(csvLine).join(''));
      expect(read.map((row) => row.length)).toEqual(rows.map((row) => row.length));
      read.flat().forEach((cell, index) => {
        const written = rows.flat()[index] as string;
        expect(/^[=+\-@\t\r]/.test(cell)).toBe(false);
        expect(cell.replace(/^'('*[=+\-@\t\r])/, '$1')).toBe(written);
      });
    }),
  );
});

it.each([
  [['a', 'b'], 'a,b\r\n'],
  [[''], '\r\n'],
  [['a,b', 'c"d', 'e\nf'], '"a,b","c""d","e\nf"\r\n'],
  [['=1+1', '+1', '-1', '@x', '\tx', '\rx'], `'=1+1,'+1,'-1,'@x,'\tx,"'\rx"\r\n`],
  [["'=1", "''@x", "'x"], "''=1,'''@x,'x\r\n"],
])('%j is the line %j', (cells, line) => expect(csvLine(cells)).toBe(line));

it('reads what any writer of RFC 4180 writes, each line with its number', () => {
  const written = (rows: readonly (readonly string[])[], end: string): string =>
    rows.map((cells) => cells.map((one) => `"${one.replaceAll('"', '""')}"`).join(',') + end).join('');
  const ends = fc.constantFrom('\n', '\r\n');
  fc.assert(
    fc.property(
      fc.array(fc.array(text, { minLength: 2, maxLength: 4 }), { maxLength: 4 }),
      ends,
      (rows, end) => {
        expect(readCsv(written(rows, end)).map(({ cells }) => cells)).toEqual(rows);
      },
    ),
  );
  expect(readCsv('\ufeffa,b\r\n\r\n"x\ny",\n1,2')).toEqual([
    { line: 1, cells: ['a', 'b'] },
    { line: 3, cells: ['x\ny', ''] },
    { line: 5, cells: ['1', '2'] },
  ]);
  expect(readCsv('')).toEqual([]);
});

it.each(['a\nb,"c', 'a\nb,c"d', 'a\n"b"c'])('refuses quotes that are none: %j', (given) => {
  expect(() => readCsv(given)).toThrow('line 2');
});
