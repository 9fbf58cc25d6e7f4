import fc from 'fast-check';
import { automatonOf } from '../../src/analysis/automaton.js';
import { Matcher } from '../../src/analysis/matcher.js';
import { readRuleSet } from '../../src/analysis/rules.js';

const word = fc.constantFrom('a', 'b', 'c');
const part = fc.array(word, { minLength: 1, maxLength: 4 });
const pattern = fc.array(part, { minLength: 1, maxLength: 3 });
const some = fc.array(pattern, { maxLength: 4 });

/** Whether the parts stand in this order in a line; tried from every place. */
function stands(parts: readonly (readonly string[])[], line: readonly string[], from = 0): boolean {
  const [first, ...rest] = parts;
  if (!first) return true;
  for (let at = from; at + first.length <= line.length; at++) {
    const here = first.every((text, index) => line[at + index] === text);
    if (here && stands(rest, line, at + first.length)) return true;
  }
  return false;
}

const written = (patterns: readonly (readonly (readonly string[])[])[]): string[] =>
  patterns.map((parts) => parts.map((words) => words.join(' ')).join(' ... '));

test('the automaton finds what trying every pattern at every place finds', () => {
  fc.assert(
    fc.property(
      fc.tuple(some, some),
      fc.tuple(some, some),
      fc.array(fc.array(fc.constantFrom('a', 'b', 'c', 'x'), { maxLength: 12 }), { maxLength: 4 }),
      (tokens, phrases, lines) => {
        const rules = readRuleSet(
          { version: 1, defaultLanguage: 'en', categories: { A: 'a', B: 'b' }, sequences: [], window: 1 },
          new Map([
            [
              'en',
              {
                language: 'en',
                common: ['the'],
                categories: {
                  A: { tokens: written(tokens[0]), phrases: written(phrases[0]) },
                  B: { tokens: written(tokens[1]), phrases: written(phrases[1]) },
                },
              },
            ],
          ]),
        );
        const matcher = new Matcher(automatonOf(rules, [...rules.languages.values()]));
        matcher.begin();
        matcher.text(lines.map((line) => line.join(' ')).join('\n'));
        const bits = (of: typeof tokens): number =>
          of.reduce(
            (mask, patterns, index) =>
              patterns.some((parts) => lines.some((line) => stands(parts, line)))
                ? mask | (1 << index)
                : mask,
            0,
          );
        expect([matcher.tokens, matcher.phrases]).toEqual([bits(tokens), bits(phrases)]);
      },
    ),
    { numRuns: 500 },
  );
});
