/**
 * A spreadsheet takes what begins so for a formula (OWASP, CSV injection). Apostrophes before it too, so
 * that taking one off gives back what was there.
 */
const FORMULA = /^'*[=+\-@\t\r]/;

/** A cell (RFC 4180), never a formula: what would begin one has an apostrophe before it. */
function cell(text: string): string {
  const plain = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}

/** A line of CSV with its end (RFC 4180). */
export function csvLine(cells: readonly string[]): string {
  return `${cells.map(cell).join(',')}\r\n`;
}

/** A line of a CSV file, with the number of the line on which it begins. */
export interface CsvRow {
  readonly line: number;
  readonly cells: readonly string[];
}

/**
 * Reads CSV (RFC 4180), with a byte order mark or without, and with any of the usual line ends; empty lines are
 * left out.
 * @throws Error that names the line, for quotes that nobody closes or that stand in the middle of a cell
 */
export function readCsv(text: string): CsvRow[] {
  const rows: CsvRow[] = [];
  let cells: string[] = [];
  let [line, began] = [1, 1];
  // A cell up to what ends it: a comma, the end of the line, or the end of the text.
  const cellAt = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|\n|\r|$)/y;
  let at = text.startsWith('\ufeff') ? 1 : 0;
  while (at < text.length || cells.length > 0) {
    cellAt.lastIndex = at;
    const found = cellAt.exec(text);
    if (!found) throw new Error(`line ${line}: a quote is not closed, or stands in the middle of a cell`);
    const [all, quoted, plain = '', end = ''] = found;
    cells.push(quoted?.replaceAll('""', '"') ?? plain);
    line += all.match(/\r\n|\n|\r/g)?.length ?? 0;
    at = cellAt.lastIndex;
    if (end === ',') continue;
    if (cells.length > 1 || cells[0] !== '') rows.push({ line: began, cells });
    cells = [];
    began = line;
  }
  return rows;
}
