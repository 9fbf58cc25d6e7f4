import { wordsOf } from './words.js';

/** Word sequences that one slot after the other can spell, of one pattern. */
const MAX_SPELLINGS = 1_000;
/** Words in a row. */
const MAX_WORDS = 16;
const MAX_PARTS = 4;

/** Words in a row; any of these spellings will do. */
export type Part = readonly (readonly string[])[];
/** Parts that follow each other in a line, with anything between them. */
export type Pattern = readonly Part[];

/** A slot: words to choose from, and whether it may be left out. */
const SLOT = /^([^|?]+(?:\|[^|?]+)*)(\?)?$/;

/**
 * Reads how a rule is written: words in a row, `a|b` for either, `a?` for a word that may be missing, ` ... `
 * for anything within the line, ` / ` between whole alternatives. @throws Error with a sentence
 */
export function readPatterns(text: string): Pattern[] {
  return text.split(' / ').map((alternative) => {
    const parts = alternative.split(' ... ').map((part) => spellings(part.trim(), text));
    if (parts.length > MAX_PARTS) throw new Error(`"${text}": at most ${MAX_PARTS - 1} gaps`);
    return parts;
  });
}

/**
 * How many words all spellings of a rule have together, at most: what it takes to spell it, told without doing so.
 * Linear in its length.
 */
export function spelledWords(text: string): number {
  const ofPart = (part: string): number => {
    const slots = part.trim().split(/\s+/);
    const spellings = slots.reduce((product, slot) => product * choicesIn(slot), 1);
    return spellings * slots.reduce((sum, slot) => sum + 1 + apostrophesIn(slot), 0);
  };
  return text
    .split(' / ')
    .flatMap((alternative) => alternative.split(' ... '))
    .reduce((sum, part) => sum + ofPart(part), 0);
}

const apostrophesIn = (slot: string): number => slot.match(/['’]/g)?.length ?? 0;

/** A word with an apostrophe is spelled in two ways. */
const choicesIn = (slot: string): number =>
  slot.split('|').reduce((sum, word) => sum + (apostrophesIn(word) > 0 ? 2 : 1), slot.endsWith('?') ? 1 : 0);

function spellings(part: string, whole: string): Part {
  let all: string[][] = [[]];
  for (const slot of part.split(/\s+/)) {
    const [, words, optional] = SLOT.exec(slot) ?? [];
    if (words === undefined) throw new Error(`"${whole}": "${slot}" is no word`);
    const choices = words.split('|').flatMap((word) => written(word, whole));
    if (optional !== undefined) choices.push([]);
    all = all.flatMap((before) => choices.map((choice) => [...before, ...choice]));
    if (all.length > MAX_SPELLINGS) throw new Error(`"${whole}": more than ${MAX_SPELLINGS} spellings`);
  }
  const unique = new Map(all.map((words) => [words.join(' '), words]));
  for (const words of unique.values()) {
    if (words.length === 0) throw new Error(`"${whole}": a part of it may be empty`);
    if (words.length > MAX_WORDS) throw new Error(`"${whole}": more than ${MAX_WORDS} words in a row`);
  }
  return [...unique.values()];
}

/** An apostrophe parts words, and many leave it out: "can't" is "can t" and "cant". */
function written(word: string, whole: string): string[][] {
  const words = wordsOf(word);
  if (words.length === 0) throw new Error(`"${whole}": "${word}" has neither letter nor digit`);
  if (words.length === 1) return [words];
  if (!/^[^'’]+(['’][^'’]*)+$/.test(word)) throw new Error(`"${whole}": "${word}" is more than one word`);
  return [words, [words.join('')]];
}
