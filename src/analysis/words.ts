/** What counts as part of a word: letters, digits and the marks on them, of any script. */
const WORD = /[\p{L}\p{N}\p{M}]/u;

/** For each UTF-16 code unit whether it is part of a word; surrogates are looked at in pairs. */
const UNITS = Uint8Array.from({ length: 0x10000 }, (_, unit) => +WORD.test(String.fromCharCode(unit)));

/** How many code units of a word begin at `at`: 0, 1, or 2 for a pair. */
export function wordUnits(text: string, at: number): 0 | 1 | 2 {
  const unit = text.charCodeAt(at);
  if (UNITS[unit] === 1) return 1;
  if (unit < 0xd800 || unit > 0xdbff) return 0;
  const point = text.codePointAt(at) as number;
  return point > 0xffff && WORD.test(String.fromCodePoint(point)) ? 2 : 0;
}

const BEYOND_ASCII = /[^\0-\x7f]/;
/** Marks of direction and joiners: they change how a word looks, not which one it is. */
const INVISIBLE = /[\u00ad\u200c-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufe0e\ufe0f\ufeff]/g;
/**
 * No language has so many marks on one letter. Bringing them into order takes the square of their number,
 * so what is beyond stays out (UAX #15, Stream-Safe Text Format).
 */
const TOO_MANY_MARKS = /(\p{M}{30})\p{M}+/gu;

/** The form in which words are compared: lower case, NFC, without what is invisible. @param lower the text in lower case */
export function comparable(text: string, lower = text.toLowerCase()): string {
  if (!BEYOND_ASCII.test(lower)) return lower;
  return text.replace(INVISIBLE, '').replace(TOO_MANY_MARKS, '$1').normalize('NFC').toLowerCase();
}

/** The words of a text in the form in which they are compared. */
export function wordsOf(text: string): string[] {
  const line = comparable(text);
  const words: string[] = [];
  let start = 0;
  let at = 0;
  while (at <= line.length) {
    const units = at < line.length ? wordUnits(line, at) : 0;
    if (units === 0) {
      if (at > start) words.push(line.slice(start, at));
      start = at + 1;
    }
    at += units === 0 ? 1 : units;
  }
  return words;
}
