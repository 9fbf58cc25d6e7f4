/** What a spreadsheet would take for a formula has an apostrophe before it; here it is taken off. */
const PROTECTED = /^'('*[=+\-@\t\r])/;

/** The rows of a CSV of ours, each an object by the names of the first; comment lines come before it. */
export function readCsv(text) {
  const [names = [], ...rows] = cells(text.slice(afterComments(text)));
  return rows.map((row) =>
    Object.fromEntries(names.map((name, at) => [name, (row[at] ?? '').replace(PROTECTED, '$1')])),
  );
}

function afterComments(text) {
  let start = 0;
  for (let line = 0; line < 4; line++) start = text.indexOf('\n', start) + 1;
  return start;
}

/** RFC 4180. */
function cells(text) {
  const rows = [];
  let row = [];
  let at = 0;
  while (at < text.length) {
    let cell = '';
    if (text[at] === '"') {
      for (;;) {
        const end = text.indexOf('"', at + 1);
        cell += text.slice(at + 1, end);
        at = end + 1;
        if (text[at] !== '"') break;
        cell += '"';
      }
    } else {
      const start = at;
      while (at < text.length && text[at] !== ',' && text[at] !== '\r') at += 1;
      cell = text.slice(start, at);
    }
    row.push(cell);
    if (text[at] === ',') at += 1;
    else {
      rows.push(row);
      row = [];
      at += 2;
    }
  }
  return rows;
}
