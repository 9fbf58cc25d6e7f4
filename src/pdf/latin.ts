/** Latin letters for those of Greek, letter by letter, and for those of Cyrillic as in passports (ICAO 9303, part 3). */
const LATIN: Readonly<Record<string, string>> = {
  ...table('αβγδεζηθικλμνξοπρστυφχψως', 'a v g d e z i th i k l m n x o p r s t y f ch ps o s'),
  ...table(
    'абвгдежзиклмнопрстуфхцчшщъыэюя',
    'a b v g d e zh z i k l m n o p r s t u f kh ts ch sh shch ie y e iu ia',
  ),
  // Of Ukrainian, Serbian and Macedonian.
  ...table('єіґђјљњћџѕ', 'ie i g d j lj nj c dz dz'),
  // Latin letters that are more than one with an accent.
  ...table('łđıħŋŧĸ', 'l d i h n t q'),
  ь: '',
};

function table(letters: string, latin: string): Record<string, string> {
  const spelled = latin.split(' ');
  return Object.fromEntries([...letters].map((letter, place) => [letter, spelled[place] ?? '']));
}

/** The Greek letters that are spelled as one sound. */
const OU = /([οΟ])([υύΥΎ])/g;

/**
 * A text in letters that a font has: of others, those that have no accent there, or the Latin letters for them.
 * @param mark stands for what can't be spelled so
 */
export function inLatin(text: string, has: (character: string) => boolean, mark: string): string {
  const characters = [...text.replace(OU, (_, o: string, u: string) => caseOf('o', o) + caseOf('u', u))];
  return characters
    .map((one, place) => {
      if (has(one)) return one;
      const letters = [...one.normalize('NFD').replace(/\p{M}/gu, '')].map((letter) =>
        has(letter) ? letter : spelledOf(letter, characters[place + 1]),
      );
      return letters.length === 0 || letters.includes(undefined) ? mark : letters.join('');
    })
    .join('');
}

function spelledOf(letter: string, next = ''): string | undefined {
  const spelled = LATIN[letter.toLowerCase()];
  if (spelled === undefined) return undefined;
  return isCapital(letter) && isCapital(next) ? spelled.toUpperCase() : caseOf(spelled, letter);
}

const isCapital = (letter: string): boolean => letter !== letter.toLowerCase();

const caseOf = (spelled: string, letter: string): string =>
  isCapital(letter) ? spelled.slice(0, 1).toUpperCase() + spelled.slice(1) : spelled;
