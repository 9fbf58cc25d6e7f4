import type { RuleSet } from './rules.js';
import { wordsOf } from './words.js';

/** Frequent words of a language that a text must have before it is taken for it, and one of how many words. */
const ENOUGH = 3;
const ONE_OF = 50;

/** Tells the language of a text by the frequent words that no other language of the set has. */
export class LanguageDetector {
  readonly #languageOf = new Map<string, string>();
  readonly #counts = new Map<string, number>();

  #words = 0;

  constructor(private readonly rules: RuleSet) {
    for (const { language, common } of rules.languages.values()) {
      this.#counts.set(language, 0);
      for (const word of common) this.#languageOf.set(word, language);
    }
  }

  add(text: string): void {
    for (const word of wordsOf(text)) {
      this.#words += 1;
      const language = this.#languageOf.get(word);
      if (language !== undefined) this.#counts.set(language, (this.#counts.get(language) ?? 0) + 1);
    }
  }

  get language(): string {
    const [best] = [...this.#counts].sort(([, a], [, b]) => b - a);
    return best && best[1] >= Math.max(ENOUGH, this.#words / ONE_OF) ? best[0] : this.rules.defaultLanguage;
  }
}
