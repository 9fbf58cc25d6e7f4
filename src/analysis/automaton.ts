import type { LanguageRules, RuleSet } from './rules.js';

/** A part of a pattern with gaps, at the node where one of its spellings ends. */
export interface GapPart {
  readonly gap: number;
  /** Which of the pattern's parts it is. */
  readonly index: number;
  /** In words. */
  readonly length: number;
}

/** A pattern with gaps. */
export interface Gap {
  readonly parts: number;
  readonly token: boolean;
  /** The category, as a bit. */
  readonly bit: number;
}

/**
 * The rules of some languages as one automaton over words (Aho and Corasick 1975): each word of a text is
 * looked at once, however many rules there are. Nodes are numbers; 0 is the root.
 */
export interface Automaton {
  /** Numbers of the words that any rule has, from 1 on. */
  readonly words: ReadonlyMap<string, number>;
  /** In UTF-16 code units. */
  readonly longestWord: number;
  /** From a node with a word: the key is `keyOf(node, word)`. */
  readonly next: ReadonlyMap<number, number>;
  /** The node of the longest shorter ending. */
  readonly fail: Int32Array;
  /** Categories, as bits, of the tokens and phrases without gaps that end at a node. */
  readonly tokens: Int32Array;
  readonly phrases: Int32Array;
  readonly parts: readonly (readonly GapPart[])[];
  /** The nearest ending of a node that has parts; 0 where none has. */
  readonly partsBelow: Int32Array;
  readonly gaps: readonly Gap[];
}

/** Words are numbered below it. */
const MAX_VOCABULARY = 1 << 20;

export const keyOf = (node: number, word: number): number => node * MAX_VOCABULARY + word;

/** Builds the automaton of these languages of a set. */
export function automatonOf({ categories: names }: RuleSet, languages: readonly LanguageRules[]): Automaton {
  const trie = new Trie();
  [...names.keys()].forEach((name, index) => {
    for (const { categories } of languages) {
      const { tokens = [], phrases = [] } = categories.get(name) ?? {};
      for (const pattern of tokens.flat()) trie.add(pattern, true, 1 << index);
      for (const pattern of phrases.flat()) trie.add(pattern, false, 1 << index);
    }
  });
  return trie.automaton();
}

/**
 * Parts of patterns with gaps that one word of a text can end, at most: beside one move forward, and moves back that
 * words before it have paid for, they are all that a word takes.
 */
export function worstParts({ parts, partsBelow }: Automaton): number {
  return parts.reduce((worst, _, node) => {
    let sum = 0;
    for (let ending = node; ending !== 0; ending = partsBelow[ending] as number) {
      sum += parts[ending]?.length ?? 0;
    }
    return Math.max(worst, sum);
  }, 0);
}

class Trie {
  readonly #words = new Map<string, number>();
  readonly #next = new Map<number, number>();
  readonly #gaps: Gap[] = [];
  readonly #tokens = [0];
  readonly #phrases = [0];
  readonly #parts: GapPart[][] = [[]];
  /** Each node's parent and word, in the order in which nodes were made. */
  readonly #edges: { readonly parent: number; readonly word: number; readonly depth: number }[] = [
    { parent: 0, word: 0, depth: 0 },
  ];

  add(parts: readonly (readonly (readonly string[])[])[], token: boolean, bit: number): void {
    if (parts.length === 1) {
      const masks = token ? this.#tokens : this.#phrases;
      for (const spelling of parts[0] ?? []) {
        const node = this.#node(spelling);
        masks[node] = (masks[node] ?? 0) | bit;
      }
      return;
    }
    const gap = this.#gaps.push({ parts: parts.length, token, bit }) - 1;
    parts.forEach((spellings, index) => {
      for (const spelling of spellings) {
        this.#parts[this.#node(spelling)]?.push({ gap, index, length: spelling.length });
      }
    });
  }

  #node(spelling: readonly string[]): number {
    let node = 0;
    for (const text of spelling) {
      let word = this.#words.get(text);
      if (word === undefined) this.#words.set(text, (word = this.#words.size + 1));
      let child = this.#next.get(keyOf(node, word));
      if (child === undefined) {
        child = this.#edges.push({ parent: node, word, depth: (this.#edges[node]?.depth ?? 0) + 1 }) - 1;
        this.#next.set(keyOf(node, word), child);
        this.#tokens.push(0);
        this.#phrases.push(0);
        this.#parts.push([]);
      }
      node = child;
    }
    return node;
  }

  automaton(): Automaton {
    const size = this.#edges.length;
    const fail = new Int32Array(size);
    const partsBelow = new Int32Array(size);
    const tokens = Int32Array.from(this.#tokens);
    const phrases = Int32Array.from(this.#phrases);
    const byDepth = this.#edges.map((edge, node) => ({ ...edge, node })).sort((a, b) => a.depth - b.depth);
    for (const { node, parent, word, depth } of byDepth) {
      if (depth === 0) continue;
      let below = depth === 1 ? 0 : (fail[parent] as number);
      if (depth > 1) {
        while (below !== 0 && !this.#next.has(keyOf(below, word))) below = fail[below] as number;
        below = this.#next.get(keyOf(below, word)) ?? 0;
      }
      fail[node] = below;
      tokens[node] = (tokens[node] as number) | (tokens[below] as number);
      phrases[node] = (phrases[node] as number) | (phrases[below] as number);
      partsBelow[node] = this.#parts[below]?.length ? below : (partsBelow[below] as number);
    }
    return {
      words: this.#words,
      longestWord: Math.max(0, ...[...this.#words.keys()].map(({ length }) => length)),
      next: this.#next,
      fail,
      tokens,
      phrases,
      parts: this.#parts,
      partsBelow,
      gaps: this.#gaps,
    };
  }
}
