import type { RuleSet } from './rules.js';
import { wordsOf } from './words.js';

/** Frequent words of a language that a text must have before it is taken for it. */
const ENOUGH = 3;

/** Tells the language of a text by the frequent words that no other language of the set has. */
export class LanguageDetector {
  readonly #languageOf = new Map<string, string>();
  readonly #counts = new Map<string, number>();

  constructor(private readonly rules: RuleSet) {
    for (const { language, common } of rules.languages.values()) {
      this.#counts.set(language, 0);
      for (const word of common) this.#languageOf.set(word, language);
    }
  }

  add(text: string): void {
    for (const word of wordsOf(text)) {
      const language = this.#languageOf.get(word);
      if (language !== undefined) this.#counts.set(language, (this.#counts.get(language) ?? 0) + 1);
    }
  }

  get language(): string {
    const [best] = [...this.#counts].sort(([, a], [, b]) => b - a);
    return best && best[1] >= ENOUGH ? best[0] : this.rules.defaultLanguage;
  }
}
