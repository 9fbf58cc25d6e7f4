import type { Format, OnEntry } from '../entry.js';
import { UNANCHORED, cleaned } from '../entry.js';
import { AnalysisRefused } from '../refused.js';
import type { Stamp } from '../stamp.js';
import { Cursor, readStamp } from '../stamp.js';

const MAX_COLUMNS = 1_000;
const DELIMITERS = [',', ';', '\t'];
/** Longer ones name no columns of ours. */
const MAX_HEADER = 4_096;
/** What is looked at of one name: ours are far shorter. */
const MAX_NAME = 100;

/** How columns are named, in any case. */
const NAMES = {
  text: [
    'text',
    'message',
    'body',
    'content',
    'msg',
    'mensaje',
    'texto',
    'contenido',
    'nachricht',
    'inhalt',
    'texte',
    'contenu',
  ],
  speaker: [
    'sender',
    'from',
    'author',
    'name',
    'user',
    'username',
    'speaker',
    'remitente',
    'autor',
    'absender',
    'von',
    'auteur',
    'expéditeur',
  ],
  time: [
    'date',
    'datetime',
    'timestamp',
    'time',
    'sent',
    'created_at',
    'fecha',
    'hora',
    'datum',
    'zeit',
    'heure',
  ],
} as const;

interface Columns {
  readonly text: number;
  readonly speaker: number;
  readonly time: number;
}

/** CSV whose first line names columns: one of the text, others of who wrote it and when. */
export class CsvFormat implements Format {
  /** The first line, until it has come: it tells what parts the cells. */
  #head = '';
  #rows: Rows | undefined;
  #columns: Columns | undefined;
  #index = 0;

  constructor(private readonly onEntry: OnEntry) {}

  push(text: string): void {
    if (this.#rows) return this.#rows.push(text);
    this.#head += text;
    if (/[\r\n]/.test(this.#head) || this.#head.length > MAX_HEADER) this.#begin();
  }

  end(): void {
    if (!this.#rows) this.#begin();
    this.#rows?.end();
  }

  #begin(): void {
    this.#rows = new Rows(delimiterOf(this.#head) ?? ',', (row) => this.#row(row));
    this.#rows.push(this.#head);
    this.#head = '';
  }

  #row(row: readonly string[]): void {
    if (!this.#columns) {
      this.#columns = columnsOf(row);
      if (this.#columns.text >= 0) return;
      throw new AnalysisRefused(
        'The first line of this CSV must name the columns, one of them "text", "message", "body" or "content".',
      );
    }
    const { text, speaker, time } = this.#columns;
    if (row.length === 1 && row[0] === '') return;
    this.onEntry({
      index: this.#index++,
      speaker: cleaned(row[speaker] ?? ''),
      text: cleaned(row[text] ?? ''),
      stamp: stampOf(row[time] ?? ''),
      context: UNANCHORED,
    });
  }
}

/** Whether a text begins with the names of columns. */
export function isCsv(sample: string): boolean {
  return delimiterOf(sample) !== undefined;
}

/** What parts the names in the first line; undefined where they are none. */
function delimiterOf(text: string): string | undefined {
  const [line = ''] = text.slice(0, MAX_HEADER).split(/[\r\n]/, 1);
  return DELIMITERS.find((delimiter) => {
    const { text, speaker, time } = columnsOf(line.split(delimiter));
    return text >= 0 && (speaker >= 0 || time >= 0);
  });
}

function columnsOf(header: readonly string[]): Columns {
  const names = header.map((name) =>
    // The end of a long cell would be looked for from each of its characters.
    name
      .slice(0, MAX_NAME)
      .replace(/^[\ufeff"\s]+|["\s]+$/g, '')
      .toLowerCase(),
  );
  const column = (kind: keyof typeof NAMES): number =>
    names.findIndex((name) => (NAMES[kind] as readonly string[]).includes(name));
  return { text: column('text'), speaker: column('speaker'), time: column('time') };
}

/** A date as written, or seconds or milliseconds since 1970. */
function stampOf(cell: string): Stamp | undefined {
  const text = cell.trim();
  const epoch = /^\d{9,10}$/.test(text)
    ? Number(text) * 1_000
    : /^\d{12,13}$/.test(text)
      ? Number(text)
      : undefined;
  return readStamp(new Cursor(epoch === undefined ? text : new Date(epoch).toISOString()), 'export');
}

/** Reads rows as they come (RFC 4180), a quote within a cell being what it is. */
class Rows {
  #row: string[] = [];
  #cell: string[] = [];
  #state: 'begin' | 'plain' | 'quoted' | 'quote' = 'begin';
  #afterCr = false;

  constructor(
    private readonly delimiter: string,
    private readonly onRow: (row: string[]) => void,
  ) {}

  push(text: string): void {
    let start = 0;
    for (let at = 0; at < text.length; at++) {
      const character = text[at] as string;
      const newline = character === '\n' && this.#afterCr;
      this.#afterCr = false;
      if (newline) {
        start = at + 1;
      } else if (this.#state === 'quoted') {
        if (character !== '"') continue;
        this.#cell.push(text.slice(start, at));
        this.#state = 'quote';
        start = at + 1;
      } else if (character === '"' && this.#state !== 'plain') {
        // Doubled, or the first of a cell.
        if (this.#state === 'quote') this.#cell.push('"');
        this.#state = 'quoted';
        start = at + 1;
      } else if (character === this.delimiter || character === '\n' || character === '\r') {
        this.#cell.push(text.slice(start, at));
        start = at + 1;
        this.#endCell();
        if (character !== this.delimiter) this.#endRow();
        this.#afterCr = character === '\r';
      } else this.#state = 'plain';
    }
    if (start < text.length) this.#cell.push(text.slice(start));
  }

  end(): void {
    if (this.#cell.length === 0 && this.#row.length === 0) return;
    this.#endCell();
    this.#endRow();
  }

  #endCell(): void {
    this.#row.push(this.#cell.join(''));
    this.#cell = [];
    this.#state = 'begin';
    if (this.#row.length > MAX_COLUMNS)
      throw new AnalysisRefused(`This CSV has more than ${MAX_COLUMNS} columns.`);
  }

  #endRow(): void {
    const row = this.#row;
    this.#row = [];
    this.onRow(row);
  }
}
