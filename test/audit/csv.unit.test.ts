import fc from 'fast-check';
import { csvLine } from '../../src/audit/csv.js';
import { parseCsv } from './parseCsv.js';

const text = fc.string({
  unit: fc.constantFrom('a', '"', ',', '\r', '\n', '=', '+', '-', '@', '\t', "'", 'é', '😀', ' '),
});

it('a line is read back as it was written, but that nothing begins a formula', () => {
  fc.assert(
    fc.property(fc.array(fc.array(text, { minLength: 1, maxLength: 4 }), { maxLength: 4 }), (rows) => {
      const read = parseCsv(rows.map(csvLine).join(''));
      expect(read.map((row) => row.length)).toEqual(rows.map((row) => row.length));
      read.flat().forEach((cell, index) => {
        const written = rows.flat()[index] as string;
        const formula = '=+-@\t\r'.includes(written[0] ?? ' ');
        expect(cell).toBe(formula ? `'${written}` : written);
      });
    }),
  );
});

it.each([
  [['a', 'b'], 'a,b\r\n'],
  [[''], '\r\n'],
  [['a,b', 'c"d', 'e\nf'], '"a,b","c""d","e\nf"\r\n'],
  [['=1+1', '+1', '-1', '@x', '\tx', '\rx'], `'=1+1,'+1,'-1,'@x,'\tx,"'\rx"\r\n`],
])('%j is the line %j', (cells, line) => expect(csvLine(cells)).toBe(line));
