/** Turns every end of a line into LF as text comes: CRLF, CR, U+2028 and U+2029. */
export class Newlines {
  #afterCr = false;

  next(chunk: string): string {
    if (chunk === '') return chunk;
    let text = this.#afterCr && chunk.startsWith('\n') ? chunk.slice(1) : chunk;
    this.#afterCr = chunk.endsWith('\r');
    if (text.includes('\r')) text = text.replaceAll('\r\n', '\n').replaceAll('\r', '\n');
    if (text.includes('\u2028')) text = text.replaceAll('\u2028', '\n');
    if (text.includes('\u2029')) text = text.replaceAll('\u2029', '\n');
    return text;
  }
}

/** Cuts text into lines as it comes. */
export class Lines {
  readonly #newlines = new Newlines();
  /** What has come of the line that is not ended yet. */
  #rest: string[] = [];

  constructor(private readonly onLine: (line: string) => void) {}

  push(chunk: string): void {
    const text = this.#newlines.next(chunk);
    let start = 0;
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', start)) {
      this.#line(text.slice(start, end));
      start = end + 1;
    }
    if (start < text.length) this.#rest.push(text.slice(start));
  }

  end(): void {
    if (this.#rest.length > 0) this.#line('');
  }

  #line(end: string): void {
    if (this.#rest.length === 0) return this.onLine(end);
    this.#rest.push(end);
    const line = this.#rest.join('');
    this.#rest = [];
    this.onLine(line);
  }
}

/** Cuts text into paragraphs as it comes: what blank lines part, white space in them or not. */
export class Paragraphs {
  readonly #newlines = new Newlines();
  /** What has come of the paragraph that is not ended yet. */
  #rest: string[] = [];
  #lines = 0;
  /** Whether the line that is not ended yet holds nothing so far. */
  #blank = true;

  constructor(private readonly onParagraph: (text: string, lines: number) => void) {}

  push(chunk: string): void {
    const text = this.#newlines.next(chunk);
    let paragraph = 0;
    let line = 0;
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', line)) {
      if (this.#blank && isBlank(text, line, end)) {
        this.#ends(text.slice(paragraph, line));
        paragraph = end + 1;
      } else this.#lines += 1;
      this.#blank = true;
      line = end + 1;
    }
    this.#blank &&= isBlank(text, line, text.length);
    if (this.#lines === 0 && this.#blank) this.#rest = [];
    else if (paragraph < text.length) this.#rest.push(paragraph === 0 ? text : text.slice(paragraph));
  }

  end(): void {
    if (!this.#blank) this.#lines += 1;
    this.#ends('');
  }

  #ends(end: string): void {
    const { length } = this.#rest;
    const text = length === 0 ? end : [...this.#rest, end].join('');
    const lines = this.#lines;
    if (length > 0) this.#rest = [];
    this.#lines = 0;
    if (lines > 0) this.onParagraph(text.trim(), lines);
  }
}

function isBlank(text: string, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const unit = text.charCodeAt(at);
    if (unit !== 0x20 && unit !== 0x09 && (unit < 0x80 ? unit < 0x0b || unit > 0x0c : !SPACES.has(unit))) {
      return false;
    }
  }
  return true;
}

/** White space beyond ASCII, as `trim` has it. */
const SPACES: ReadonlySet<number> = new Set(
  Array.from({ length: 0x10000 }, (_, unit) => unit).filter(
    (unit) => unit > 0x7f && String.fromCharCode(unit).trim() === '',
  ),
);
