/**
 * The one door for text (decision 31): what comes from outside is well-formed Unicode without control
 * characters, and its length is counted as people count. PostgreSQL stores no NUL and no half of a surrogate
 * pair, so one of them in an event would stop the read models.
 */

/** What a text may be like. */
export interface TextRule {
  /** Characters as people count them (grapheme clusters); 0 where it is left out. */
  readonly min?: number;
  readonly max: number;
  /** In UTF-8, where the text stands in an index: PostgreSQL takes no entry above 2,704 bytes. */
  readonly maxBytes?: number;
  /** Whether it may have line breaks and tabs. */
  readonly lines?: boolean;
}

const CONTROL = /\p{Cc}/u;
const CONTROL_BUT_LINES = /[^\P{Cc}\t\n\r]/u;
/** Of printable ASCII alone: nearly every text is, and then nothing can be wrong with it but its length. */
const PLAIN = /^[ -~]*$/;
/** U+2028 and U+2029 break lines, and are no control characters. */
const BREAK = /[\t\n\r\p{Zl}\p{Zp}]/u;

/** UTF-16 units that a character may have on average: emoji of several people have up to 15. */
const UNITS_PER_CHARACTER = 16;

/** Bytes of an id that a client chooses. */
export const MAX_ID_BYTES = 128;

const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });

/**
 * Whether a text has as many characters as it may, as people count them. A text of any length costs no more than
 * one that is a little too long.
 */
function hasLength(text: string, min: number, max: number): boolean {
  if (text.length < min || text.length > max * UNITS_PER_CHARACTER) return false;
  if (text.length <= max && min <= 1) return true;
  let count = 0;
  for (const _ of segmenter.segment(text)) if (++count > max) return false;
  return count >= min;
}

/** The first characters of a text, `max` as people count them: none is cut in the middle. */
export function firstCharacters(text: string, max: number): string {
  let [end, count] = [0, 0];
  for (const { index, segment } of segmenter.segment(text)) {
    const next = index + segment.length;
    if (++count > max || next > max * UNITS_PER_CHARACTER) break;
    end = next;
  }
  return text.slice(0, end);
}

/** The sentence without its subject, for a list that names the place. */
export const unnamed = (problem: string): string => problem.replace(/^"[^"]*" /, '');

/** As texts are compared and shown: without white space around it, in NFC. */
export const tidy = (text: string): string => (PLAIN.test(text) ? text.trim() : text.trim().normalize('NFC'));

/**
 * Why a text can't be taken, whatever it is for: a sentence that names the field and never repeats the text.
 * Line breaks and tabs pass; whether a text may have them is its field's own rule.
 */
export function unfit(field: string, text: string): string | undefined {
  if (!text.isWellFormed())
    return `"${field}" is not well-formed Unicode: it holds half of a surrogate pair.`;
  return CONTROL_BUT_LINES.test(text) ? `"${field}" holds a control character.` : undefined;
}

/** Why a text does not fit its field; undefined where it does. */
export function textProblem(field: string, text: string, rule: TextRule): string | undefined {
  const { min = 0, max, maxBytes = Infinity, lines = false } = rule;
  if (!hasLength(text, min, max)) {
    return min > 0
      ? `"${field}" must have ${min} to ${max} characters.`
      : `"${field}" must have at most ${max} characters.`;
  }
  if (text.length <= maxBytes && PLAIN.test(text)) return undefined;
  if (Buffer.byteLength(text) > maxBytes) return `"${field}" must have at most ${maxBytes} bytes of UTF-8.`;
  if (!lines && BREAK.test(text)) return `"${field}" must be one line, without tabs.`;
  return unfit(field, text);
}

/** Why an id that a client chooses can't be one: it is opaque, and compared byte by byte as it came. */
export function idProblem(field: string, id: string, maxBytes = MAX_ID_BYTES): string | undefined {
  const bytes = id.length > maxBytes ? maxBytes + 1 : Buffer.byteLength(id);
  if (bytes < 1 || bytes > maxBytes) return `"${field}" must have 1 to ${maxBytes} bytes.`;
  if (!id.isWellFormed()) return unfit(field, id);
  return CONTROL.test(id) ? `"${field}" holds a control character.` : undefined;
}
