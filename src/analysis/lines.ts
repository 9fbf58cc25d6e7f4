/** Cuts text into lines as it comes. A line ends at LF, CRLF, CR, U+2028 or U+2029. */
export class Lines {
  /** What has come of the line that is not ended yet. */
  #rest: string[] = [];
  #afterCr = false;

  constructor(private readonly onLine: (line: string) => void) {}

  push(chunk: string): void {
    let text = chunk;
    if (this.#afterCr && text.startsWith('\n')) text = text.slice(1);
    if (chunk !== '') this.#afterCr = chunk.endsWith('\r');
    if (text.includes('\r')) text = text.replaceAll('\r\n', '\n').replaceAll('\r', '\n');
    if (/[\u2028\u2029]/.test(text)) text = text.replace(/[\u2028\u2029]/g, '\n');
    let start = 0;
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', start)) {
      this.#line(text.slice(start, end));
      start = end + 1;
    }
    if (start < text.length) this.#rest.push(start === 0 ? text : text.slice(start));
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
