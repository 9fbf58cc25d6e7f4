import type { Context } from './entry.js';
import { AnalysisRefused } from './refused.js';

/** Contexts with events in one file: no log of people comes near. */
const MAX_CONTEXTS = 10_000;

/** Counts of what was found; of names by how many there are, ties in the order in which they appeared. */
export class Summary {
  events = 0;
  readonly strengths = { PHRASE: 0, TOKEN: 0 };
  readonly #patterns = new Map<string, number>();
  readonly #sequences = new Map<string, number>();
  readonly #contexts = new Map<string, Int32Array>();
  #firstStrength: 'PHRASE' | 'TOKEN' | undefined;

  constructor(private readonly categories: readonly string[]) {}

  /** @throws AnalysisRefused when there are too many contexts */
  event({ key }: Context, tokens: number, phrases: number): void {
    this.events += 1;
    let counts = this.#contexts.get(key);
    if (!counts) {
      if (this.#contexts.size === MAX_CONTEXTS) {
        throw new AnalysisRefused(
          `This file has more than ${MAX_CONTEXTS} places with a year. Split it into several files.`,
        );
      }
      this.#contexts.set(key, (counts = new Int32Array(this.categories.length)));
    }
    for (let index = 0; index < counts.length; index++) {
      const bit = 1 << index;
      if (((tokens | phrases) & bit) === 0) continue;
      counts[index] = (counts[index] as number) + 1;
      const name = this.categories[index] as string;
      this.#patterns.set(name, (this.#patterns.get(name) ?? 0) + 1);
      const strength = phrases & bit ? 'PHRASE' : 'TOKEN';
      this.#firstStrength ??= strength;
      this.strengths[strength] += 1;
    }
  }

  sequence(name: string): void {
    this.#sequences.set(name, (this.#sequences.get(name) ?? 0) + 1);
  }

  /** Events of each category that any has. */
  get patterns(): [string, number][] {
    return mostFirst([...this.#patterns]);
  }

  get sequences(): [string, number][] {
    return mostFirst([...this.#sequences]);
  }

  get hitStrengths(): [string, number][] {
    const { PHRASE, TOKEN } = this.strengths;
    const both: [string, number][] = [
      ['PHRASE', PHRASE],
      ['TOKEN', TOKEN],
    ];
    if (this.#firstStrength === 'TOKEN') both.reverse();
    return mostFirst(both.filter(([, count]) => count > 0));
  }

  /** Counts of each category, in the order of the categories; the context with most hits first. */
  get contexts(): [string, Int32Array][] {
    const sum = (counts: Int32Array): number => counts.reduce((a, b) => a + b, 0);
    return [...this.#contexts].sort(([, a], [, b]) => sum(b) - sum(a));
  }
}

function mostFirst(counts: [string, number][]): [string, number][] {
  return counts.sort(([, a], [, b]) => b - a);
}
