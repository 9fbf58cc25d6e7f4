import { AnalysisRefused } from './refused.js';

export const ENCODINGS = ['utf-8', 'utf-16le', 'utf-16be', 'windows-1252'] as const;
export type Encoding = (typeof ENCODINGS)[number];

/** Bytes by which an encoding is recognised. */
const SAMPLE = 64 * 1024;
/** Bytes that are decoded at once. */
const PIECE = 64 * 1024;
/** So many bytes must be letters of Windows-1252 before a file is taken for that: one may be an accident. */
const ENOUGH_LEGACY = 2;

/** Where Windows-1252 is not Latin-1: 0x80 to 0x9f. */
const WINDOWS = '€\ufffd‚ƒ„…†‡ˆ‰Š‹Œ\ufffdŽ\ufffd\ufffd‘’“”•–—˜™š›œ\ufffdžŸ';

/** Turns bytes into text as they come. What cannot be read becomes U+FFFD, and so does NUL. */
export class Decoder {
  /** Set once enough was read to tell, or everything. */
  encoding: Encoding | undefined;
  #sample: Uint8Array[] = [];
  #sampled = 0;
  #decode: ((bytes: Uint8Array | undefined) => string) | undefined;

  constructor(
    private readonly onText: (text: string) => void,
    encoding?: Encoding,
  ) {
    this.encoding = encoding;
    if (encoding !== undefined) this.#decode = decoderOf(encoding);
  }

  push(bytes: Uint8Array): void {
    if (this.#decode) return this.#text(bytes);
    // The sample is the same however the bytes come.
    const taken = bytes.subarray(0, SAMPLE - this.#sampled);
    this.#sample.push(taken.slice());
    this.#sampled += taken.length;
    if (this.#sampled < SAMPLE) return;
    this.#recognise();
    this.#text(bytes.subarray(taken.length));
  }

  end(): void {
    if (!this.#decode) this.#recognise();
    const rest = this.#decode?.(undefined);
    if (rest !== undefined && rest !== '') this.onText(rest);
  }

  #recognise(): void {
    const sample = Buffer.concat(this.#sample);
    this.#sample = [];
    this.encoding = encodingOf(sample);
    this.#decode = decoderOf(this.encoding);
    this.#text(sample);
  }

  #text(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += PIECE) {
      const text = this.#decode?.(bytes.subarray(at, at + PIECE));
      if (text !== undefined && text !== '') this.onText(text);
    }
  }
}

function decoderOf(encoding: Encoding): (bytes: Uint8Array | undefined) => string {
  if (encoding === 'windows-1252') {
    return (bytes) =>
      Buffer.from(bytes ?? [])
        .toString('latin1')
        .replace(/[\0\x80-\x9f]/g, (unit) =>
          unit === '\0' ? '\ufffd' : (WINDOWS[unit.charCodeAt(0) - 0x80] as string),
        );
  }
  const decoder = new TextDecoder(encoding);
  return (bytes) =>
    (bytes ? decoder.decode(bytes, { stream: true }) : decoder.decode()).replaceAll('\0', '\ufffd');
}

/** @throws AnalysisRefused for UTF-32 */
function encodingOf(sample: Uint8Array): Encoding {
  const [first, second, third, fourth] = sample;
  if (third === 0 && fourth === 0 && first === 0xff && second === 0xfe) throw utf32();
  if (first === 0 && second === 0 && third === 0xfe && fourth === 0xff) throw utf32();
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  if (first === 0xfe && second === 0xff) return 'utf-16be';
  return utf16Of(sample) ?? (isLegacy(sample) ? 'windows-1252' : 'utf-8');
}

function utf32(): AnalysisRefused {
  return new AnalysisRefused('This file is in UTF-32. Save it as UTF-8 and upload it again.');
}

/** Western text in UTF-16 has a NUL in every other byte. */
function utf16Of(sample: Uint8Array): Encoding | undefined {
  const zeros = [0, 0];
  sample.forEach((byte, at) => {
    if (byte === 0) zeros[at % 2] = (zeros[at % 2] as number) + 1;
  });
  const [even = 0, odd = 0] = zeros;
  const half = sample.length / 2;
  if (half < 2) return undefined;
  if (odd > 0.4 * half && even < 0.05 * half) return 'utf-16le';
  if (even > 0.4 * half && odd < 0.05 * half) return 'utf-16be';
  return undefined;
}

/** Whether letters stand where UTF-8 cannot have them, and nothing is there that only UTF-8 could be. */
function isLegacy(sample: Uint8Array): boolean {
  let letters = 0;
  for (let at = 0; at < sample.length; at++) {
    const byte = sample[at] as number;
    if (byte < 0x80) continue;
    if (isUtf8(sample, at)) return false;
    // 0x91 to 0x97 are quotes and dashes.
    const punctuation = [0x80, 0x85, 0xa0, 0xa1, 0xab, 0xbb, 0xbf].includes(byte);
    if (byte < 0xc0 && !(byte >= 0x91 && byte <= 0x97) && !punctuation) return false;
    letters += 1;
  }
  return letters >= ENOUGH_LEGACY;
}

/** Whether a character of several bytes begins there. */
function isUtf8(bytes: Uint8Array, at: number): boolean {
  const lead = bytes[at] as number;
  if (lead < 0xc2 || lead > 0xf4) return false;
  const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  const rest = bytes.subarray(at + 1, at + length);
  return rest.length === length - 1 && rest.every((byte) => (byte & 0xc0) === 0x80);
}
