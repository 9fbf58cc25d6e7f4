import type { Automaton } from './automaton.js';
import { keyOf } from './automaton.js';
import { comparable, wordUnits } from './words.js';

/** A power of two. */
const FILTER = 1 << 14;
const LF = 0x0a;

/** Finds the rules' patterns in lines of text, in time that is linear in their length. */
export class Matcher {
  /** Categories of the tokens and of the phrases found since `begin`, as bits. */
  tokens = 0;
  phrases = 0;
  /** Moves of the automaton so far: what the work is bounded by. */
  steps = 0;
  /** By hash, whether a word of the rules may have it: most words of a text need no look-up. */
  readonly #filter = new Uint8Array(FILTER);
  /** For each pattern with gaps: its parts found in this line, and the word behind the last one. */
  readonly #found: Int32Array;
  readonly #ends: Int32Array;
  /** Those of which a part has been found in this line. */
  readonly #open: number[] = [];
  #node = 0;
  #position = 0;

  constructor(private readonly automaton: Automaton) {
    this.#found = new Int32Array(automaton.gaps.length);
    this.#ends = new Int32Array(automaton.gaps.length);
    for (const word of automaton.words.keys()) {
      let hash = 0;
      for (let at = 0; at < word.length; at++) hash = (hash * 31 + word.charCodeAt(at)) | 0;
      this.#filter[hash & (FILTER - 1)] = 1;
    }
  }

  /** Forgets what was found. */
  begin(): void {
    this.tokens = 0;
    this.phrases = 0;
  }

  /** Looks through a text: nothing reaches across the end of a line, which is LF. @param lower it in lower case */
  text(text: string, lower?: string): void {
    const line = comparable(text, lower);
    const { length } = line;
    const { longestWord, words } = this.automaton;
    this.#beginLine();
    for (let at = 0; at < length;) {
      let units = wordUnits(line, at);
      if (units === 0) {
        if (line.charCodeAt(at) === LF) this.#beginLine();
        at += 1;
        continue;
      }
      const start = at;
      let hash = 0;
      do {
        hash = (hash * 31 + line.charCodeAt(at)) | 0;
        if (units === 2) hash = (hash * 31 + line.charCodeAt(at + 1)) | 0;
        at += units;
        units = at < length ? wordUnits(line, at) : 0;
      } while (units !== 0);
      const candidate = this.#filter[hash & (FILTER - 1)] === 1 && at - start <= longestWord;
      this.#word((candidate && words.get(line.slice(start, at))) || 0);
    }
  }

  #beginLine(): void {
    this.#node = 0;
    this.#position = 0;
    if (this.#open.length === 0) return;
    for (const gap of this.#open) this.#found[gap] = 0;
    this.#open.length = 0;
  }

  /** 0 for a word that no rule has. */
  #word(word: number): void {
    const { next, fail, tokens, phrases, parts, partsBelow } = this.automaton;
    this.#position += 1;
    this.steps += 1;
    if (word === 0) {
      this.#node = 0;
      return;
    }
    let node = this.#node;
    let child = next.get(keyOf(node, word));
    while (child === undefined && node !== 0) {
      node = fail[node] as number;
      this.steps += 1;
      child = next.get(keyOf(node, word));
    }
    node = child ?? 0;
    this.#node = node;
    this.tokens |= tokens[node] as number;
    this.phrases |= phrases[node] as number;
    for (let ending = node; ending !== 0; ending = partsBelow[ending] as number) {
      for (const part of parts[ending] ?? []) {
        this.steps += 1;
        this.#part(part.gap, part.index, part.length);
      }
    }
  }

  /** The first place of each part is the best one: it leaves the most for the parts behind it. */
  #part(gap: number, index: number, length: number): void {
    if (this.#found[gap] !== index || (index > 0 && this.#position - length < (this.#ends[gap] as number))) {
      return;
    }
    if (index === 0) this.#open.push(gap);
    this.#found[gap] = index + 1;
    this.#ends[gap] = this.#position;
    const { parts, token, bit } = this.automaton.gaps[gap] as { parts: number; token: boolean; bit: number };
    if (index + 1 < parts) return;
    if (token) this.tokens |= bit;
    else this.phrases |= bit;
  }
}
