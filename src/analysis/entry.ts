import type { Stamp } from './stamp.js';

/** What somebody wrote at once: a paragraph, or a message of an export. */
export interface Entry {
  /** Of entries, from 0. */
  readonly index: number;
  /** Empty where nobody is named. */
  readonly speaker: string;
  /** Without the time stamp and the speaker. */
  readonly text: string;
  readonly stamp: Stamp | undefined;
  readonly context: Context;
}

/** Where and when entries belong, as an anchor above them says. */
export interface Context {
  readonly place: string;
  readonly year: string;
  readonly key: string;
}

export const UNANCHORED: Context = { place: '', year: '', key: 'UNANCHORED' };

/** A format of files: text in, entries out. */
export interface Format {
  push(text: string): void;
  end(): void;
}

/** Text that a file brings in escapes of its own, as if it had come as it is. */
export function cleaned(text: string): string {
  return text
    .toWellFormed()
    .replaceAll('\0', '\ufffd')
    .replace(/\r\n?|[\u2028\u2029]/g, '\n')
    .trim();
}

export type OnEntry = (entry: Entry) => void;
