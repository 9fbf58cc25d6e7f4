import type { Format, OnEntry } from '../entry.js';
import { CsvFormat, isCsv } from './csv.js';
import { TelegramFormat, isTelegram } from './telegram.js';
import { TextFormat } from './text.js';
import { WhatsAppFormat, isWhatsApp } from './whatsapp.js';

/** The formats that can be read, by the name under which one is chosen. */
const FORMATS = {
  text: (onEntry: OnEntry): Format => new TextFormat(onEntry),
  whatsapp: (onEntry: OnEntry): Format => new WhatsAppFormat(onEntry),
  telegram: (onEntry: OnEntry): Format => new TelegramFormat(onEntry),
  csv: (onEntry: OnEntry): Format => new CsvFormat(onEntry),
} as const;

export type FormatName = keyof typeof FORMATS;
export const FORMAT_NAMES = Object.keys(FORMATS) as FormatName[];

/** Characters by which a format is recognised. */
const SAMPLE = 64 * 1024;
/** Lines that are looked at. */
const LINES = 200;

/** Finds out in which format a text is, and reads it. */
export class Recogniser implements Format {
  #format: Format | undefined;
  #name: FormatName | undefined;
  #sample: string[] = [];
  #sampled = 0;

  constructor(
    format: FormatName | undefined,
    private readonly onEntry: OnEntry,
  ) {
    if (format !== undefined) this.#choose(format);
  }

  get format(): FormatName {
    return this.#name ?? 'text';
  }

  push(text: string): void {
    if (this.#format) return this.#format.push(text);
    // The sample is the same however the text comes.
    const taken = text.slice(0, SAMPLE - this.#sampled);
    this.#sample.push(taken);
    this.#sampled += taken.length;
    if (this.#sampled < SAMPLE) return;
    this.#recognise().push(text.slice(taken.length));
  }

  end(): void {
    (this.#format ?? this.#recognise()).end();
  }

  #recognise(): Format {
    const sample = this.#sample.join('');
    this.#sample = [];
    const format = this.#choose(recognise(sample));
    format.push(sample);
    return format;
  }

  #choose(name: FormatName): Format {
    this.#name = name;
    return (this.#format = FORMATS[name](this.onEntry));
  }
}

/** By what it holds, never by its name. */
function recognise(sample: string): FormatName {
  if (isTelegram(sample)) return 'telegram';
  if (isCsv(sample)) return 'csv';
  const lines = sample.split(/\r\n?|[\n\u2028\u2029]/, LINES);
  return isWhatsApp(lines) ? 'whatsapp' : 'text';
}
