import type { Context, Format, OnEntry } from '../entry.js';
import { UNANCHORED } from '../entry.js';
import { Paragraphs } from '../lines.js';
import type { Stamp } from '../stamp.js';
import { Cursor, readStamp } from '../stamp.js';

const MAX_PLACE = 61;
const MAX_NAME = 51;
const NAME = /^\p{Script=Latin}[\p{Script=Latin}\p{M}\p{Nd} .'-]*$/u;
/** Most names, told sooner. */
const ASCII_NAME = /^[A-Za-z][A-Za-z0-9 .'-]*$/;

const BRACKET = 0x5b;
/** Of the marks that cursors pass over. */
const FIRST_MARK = 0x200e;

/** Plain text: an entry is a paragraph, which ends at a blank line. */
export class TextFormat implements Format {
  readonly #paragraphs = new Paragraphs((text, lines) => this.#paragraph(text, lines === 1));
  #index = 0;
  #context: Context = UNANCHORED;

  constructor(private readonly onEntry: OnEntry) {}

  push(text: string): void {
    this.#paragraphs.push(text);
  }

  end(): void {
    this.#paragraphs.end();
  }

  #paragraph(text: string, single: boolean): void {
    const index = this.#index++;
    const anchor = single ? readAnchor(text) : undefined;
    if (anchor) this.#context = anchor;
    else this.onEntry({ index, ...readSpoken(text, single), context: this.#context });
  }
}

/** A line that is only a place and a year, with or without a comma or dash between them. */
export function readAnchor(line: string): Context | undefined {
  const year = line.slice(-4);
  if (!/^(19|20)\d\d$/.test(year)) return undefined;
  const before = line.slice(0, -4).trimEnd();
  const separated = /[,\u2014-]$/.test(before) ? before.slice(0, -1) : before;
  // A space before the year is part of what is counted, as long as it is one.
  const counted =
    separated === before && before.length < line.length - 4 ? before.length + 1 : separated.length;
  if (counted < 2 || counted > MAX_PLACE) return undefined;
  if (!/^\p{Script=Latin}[\p{Script=Latin}\p{M} .'-]*$/u.test(separated)) return undefined;
  const place = separated.replace(/[ -]+$/, '');
  return place === '' ? undefined : { place, year, key: `${place} ${year}` };
}

/** What an entry says when, and who says it: `[2019-01-02 10:00] Kim: text`. */
function readSpoken(
  entry: string,
  single: boolean,
): { speaker: string; text: string; stamp: Stamp | undefined } {
  const before = cutStamp(entry);
  const named = single ? readSpeaker(before.text) : undefined;
  if (!named) return { speaker: '', ...before };
  const { stamp, text } = before.stamp ? { ...before, text: named.text } : cutStamp(named.text);
  return { speaker: named.speaker, text, stamp };
}

function readSpeaker(line: string): { speaker: string; text: string } | undefined {
  const colon = line.slice(0, MAX_NAME + 1).indexOf(':');
  if (colon < 2) return undefined;
  const speaker = line.slice(0, colon);
  if (!ASCII_NAME.test(speaker) && !NAME.test(speaker)) return undefined;
  const text = line.slice(colon + 1).trim();
  return text === '' ? undefined : { speaker: speaker.trim(), text };
}

/** Takes a time stamp off the beginning, with its brackets and the hyphen behind it. */
function cutStamp(text: string): { text: string; stamp: Stamp | undefined } {
  // It begins with a digit, a bracket, or a mark that nobody sees.
  const first = text.charCodeAt(0);
  if (first < FIRST_MARK && first !== BRACKET && (first < 0x30 || first > 0x39)) {
    return { text, stamp: undefined };
  }
  const cursor = new Cursor(text);
  const bracket = cursor.take('[');
  const stamp = readStamp(cursor, 'plain');
  if (!stamp) return { text, stamp };
  if (bracket && !cursor.take(']')) return { text, stamp: undefined };
  // 1/2/20191 is none, and "2019-01-02nd" neither.
  const next = text[cursor.at];
  if (!bracket && next !== undefined && /[\p{L}\p{N}/]/u.test(next)) return { text, stamp: undefined };
  const rest = text.slice(cursor.at).trimStart();
  return { text: rest.replace(/^[-\u2013\u2014]/, '').trimStart(), stamp };
}
