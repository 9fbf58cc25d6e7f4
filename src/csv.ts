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
