import { inLatin } from './latin.js';

const MARGIN = 56;
const FOOT = 40;
const REGULAR = 'Helvetica';
const BOLD = 'Helvetica-Bold';
const GREY = '#666666';

/** What of Unicode the fonts that every reader has can show, beside Latin-1 (Windows-1252). */
const SHOWN = new Set('€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ');

export interface PdfOptions {
  readonly title: string;
  readonly author: string;
  /** Stands in the file as the time of its making: the same content is the same file, whenever it is made. */
  readonly at: Date;
}

export interface PdfColumn {
  readonly header: string;
  /** Of the whole width, 0 to 1. */
  readonly width: number;
  readonly align?: 'left' | 'right';
}

/** Stands for what the fonts can't show in any way. */
const MARK = '?';

/** What is the same to a reader. */
const plain = (text: string): string =>
  text.normalize('NFC').replaceAll('\u2212', '-').replaceAll('\u00A0', ' ');

/** Text as the fonts can show it: letters that they lack are spelled with those that they have (docs/billing.md). */
export const shownText = (text: string): string => inLatin(plain(text), isShown, MARK);

function isShown(character: string): boolean {
  const code = character.codePointAt(0) ?? 0;
  return (code >= 0x20 && code < 0x7f) || (code >= 0xa0 && code <= 0xff) || SHOWN.has(character);
}

/** Writes a document from top to bottom; pages follow by themselves. */
export class PdfWriter {
  /** Whether some of the text so far stands there in other letters than it was given in. */
  spelled = false;

  constructor(private readonly document: PDFKit.PDFDocument) {}

  #shown(text: string): string {
    const shown = shownText(text);
    this.spelled ||= shown !== plain(text);
    return shown;
  }

  get #width(): number {
    return this.document.page.width - 2 * MARGIN;
  }

  heading(text: string, size = 20): void {
    this.document
      .font(BOLD)
      .fontSize(size)
      .text(this.#shown(text), MARGIN, this.document.y, { width: this.#width });
    this.gap();
  }

  paragraph(text: string, { bold = false, grey = false, size = 10 } = {}): void {
    this.document
      .font(bold ? BOLD : REGULAR)
      .fontSize(size)
      .fillColor(grey ? GREY : 'black')
      .text(this.#shown(text), MARGIN, this.document.y, { width: this.#width })
      .fillColor('black');
  }

  gap(height = 12): void {
    this.document.y += height;
  }

  /** Two blocks of lines side by side; the first line of each is bold. */
  sideBySide(left: readonly string[], right: readonly string[]): void {
    const top = this.document.y;
    const half = this.#width / 2;
    const block = (lines: readonly string[], x: number): number => {
      this.document.y = top;
      for (const [place, line] of lines.entries()) {
        this.document
          .font(place === 0 ? BOLD : REGULAR)
          .fontSize(10)
          .text(this.#shown(line), x, this.document.y, { width: half - 12 });
      }
      return this.document.y;
    };
    this.document.y = Math.max(block(left, MARGIN), block(right, MARGIN + half));
    this.gap();
  }

  /** A table; its header stands again on each page. @param sums rows at its end, in bold */
  table(
    columns: readonly PdfColumn[],
    rows: readonly (readonly string[])[],
    sums: readonly (readonly string[])[] = [],
  ): void {
    this.#row(
      columns,
      columns.map(({ header }) => header),
      { bold: true, rule: true },
    );
    for (const row of rows) this.#row(columns, row, { header: columns });
    this.#rule();
    for (const row of sums) this.#row(columns, row, { bold: true, header: columns });
    this.gap();
  }

  #row(
    columns: readonly PdfColumn[],
    cells: readonly string[],
    { bold = false, rule = false, header }: { bold?: boolean; rule?: boolean; header?: readonly PdfColumn[] },
  ): void {
    const { document } = this;
    document.font(bold ? BOLD : REGULAR).fontSize(9);
    const texts = cells.map((cell) => this.#shown(cell));
    const widths = columns.map(({ width }) => width * this.#width - 8);
    const height = Math.max(
      ...texts.map((text, i) => document.heightOfString(text, { width: widths[i] ?? 0 })),
    );
    if (document.y + height > document.page.height - MARGIN - FOOT) {
      document.addPage();
      if (header) {
        this.#row(
          header,
          header.map((column) => column.header),
          { bold: true, rule: true },
        );
        document.font(bold ? BOLD : REGULAR).fontSize(9);
      }
    }
    const top = document.y + 3;
    let x = MARGIN;
    for (const [i, { width, align = 'left' }] of columns.entries()) {
      document.text(texts[i] ?? '', x + 4, top, { width: widths[i] ?? 0, align });
      x += width * this.#width;
    }
    document.y = top + height + 3;
    if (rule) this.#rule();
  }

  #rule(): void {
    const { document } = this;
    document
      .moveTo(MARGIN, document.y)
      .lineTo(MARGIN + this.#width, document.y)
      .lineWidth(0.5)
      .strokeColor(GREY)
      .stroke();
    document.y += 2;
  }
}

/** Makes a document in A4, with numbered pages. The same content and time give the same bytes. */
export async function pdfOf(
  { title, author, at }: PdfOptions,
  write: (pdf: PdfWriter) => void,
): Promise<Buffer> {
  // Most processes never write one, and it takes longer to load than most other packages.
  const { default: PDFDocument } = await import('pdfkit');
  const document = new PDFDocument({
    size: 'A4',
    margin: MARGIN,
    bufferPages: true,
    info: { Title: title, Author: author, CreationDate: at, ModDate: at },
    lang: 'en',
    displayTitle: true,
  });
  const chunks: Buffer[] = [];
  const whole = new Promise<Buffer>((resolve, reject) => {
    document.on('data', (chunk: Buffer) => chunks.push(chunk));
    document.on('end', () => resolve(Buffer.concat(chunks)));
    document.on('error', reject);
  });
  write(new PdfWriter(document));
  const { start, count } = document.bufferedPageRange();
  for (let page = start; page < start + count; page++) {
    document.switchToPage(page);
    // Below the margin a text would begin another page.
    document.page.margins.bottom = 0;
    document
      .font(REGULAR)
      .fontSize(8)
      .fillColor(GREY)
      .text(`${page - start + 1} / ${count}`, MARGIN, document.page.height - FOOT, {
        width: document.page.width - 2 * MARGIN,
        align: 'right',
        lineBreak: false,
      });
  }
  document.end();
  return whole;
}
