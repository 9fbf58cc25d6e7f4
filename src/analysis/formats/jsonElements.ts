import { AnalysisRefused } from '../refused.js';

/** UTF-16 code units of one element. */
const MAX_ELEMENT = 1024 * 1024;
const MAX_DEPTH = 64;
const MAX_KEY = 64;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

interface Container {
  readonly array: boolean;
  /** Under which it stands. */
  readonly key: string;
}

/**
 * Finds the objects in every array that stands under a key, as the JSON comes. One element is held at a time.
 */
export class JsonElements {
  readonly #open: Container[] = [];
  #key = '';
  #keyNext = false;
  /** Undefined outside of strings that are keys. */
  #keyText: string | undefined;
  #string = false;
  #escaped = false;
  /** Of the element that is being read: how deep it stands, and what came of it in earlier pieces. */
  #elementDepth = 0;
  #element: string[] = [];
  #elementLength = 0;

  constructor(
    private readonly under: string,
    private readonly onElement: (element: unknown) => void,
  ) {}

  /** @throws AnalysisRefused for what is no JSON */
  push(text: string): void {
    let start = 0;
    for (let at = 0; at < text.length; at++) {
      const unit = text.charCodeAt(at);
      if (this.#string) {
        this.#inString(unit, text, at);
        continue;
      }
      switch (unit) {
        case QUOTE:
          this.#string = true;
          this.#keyText = this.#keyNext && this.#elementDepth === 0 ? '' : undefined;
          break;
        case 0x2c: // ,
          this.#keyNext = this.#open.at(-1)?.array === false;
          break;
        case 0x7b: // {
          if (this.#begins()) start = at;
          this.#push(false);
          break;
        case 0x5b: // [
          this.#push(true);
          break;
        case 0x7d: // }
          this.#pop(false);
          if (this.#elementDepth > this.#open.length) {
            this.#ends(text.slice(start, at + 1));
          }
          break;
        case 0x5d: // ]
          this.#pop(true);
          break;
        default:
      }
    }
    if (this.#elementDepth > 0) this.#keep(text.slice(start));
  }

  /** @throws AnalysisRefused where the JSON is not whole */
  end(): void {
    if (this.#open.length > 0 || this.#string) {
      throw new AnalysisRefused(
        'This JSON file ends in the middle. Export the chat again and upload the whole file.',
      );
    }
  }

  #inString(unit: number, text: string, at: number): void {
    if (this.#escaped) this.#escaped = false;
    else if (unit === BACKSLASH) this.#escaped = true;
    else if (unit === QUOTE) {
      this.#string = false;
      if (this.#keyText !== undefined) this.#key = this.#keyText;
      this.#keyNext = false;
      return;
    }
    if (this.#keyText !== undefined && this.#keyText.length < MAX_KEY) this.#keyText += text[at];
  }

  /** Whether an element begins here. */
  #begins(): boolean {
    const parent = this.#open.at(-1);
    if (this.#elementDepth > 0 || parent?.array !== true || parent.key !== this.under) return false;
    this.#elementDepth = this.#open.length + 1;
    return true;
  }

  #push(array: boolean): void {
    if (this.#open.length === MAX_DEPTH)
      throw new AnalysisRefused(`This JSON file is nested more than ${MAX_DEPTH} deep.`);
    this.#open.push({ array, key: this.#key });
    this.#key = '';
    this.#keyNext = !array;
  }

  #pop(array: boolean): void {
    if (this.#open.pop()?.array !== array) throw notJson();
    this.#keyNext = false;
    this.#key = '';
  }

  #keep(text: string): void {
    this.#element.push(text);
    this.#elementLength += text.length;
    if (this.#elementLength > MAX_ELEMENT) {
      throw new AnalysisRefused('This JSON file has a message of more than a million characters.');
    }
  }

  #ends(text: string): void {
    this.#keep(text);
    const whole = this.#element.join('');
    this.#element = [];
    this.#elementLength = 0;
    this.#elementDepth = 0;
    let element: unknown;
    try {
      element = JSON.parse(whole);
    } catch {
      throw notJson();
    }
    this.onElement(element);
  }
}

function notJson(): AnalysisRefused {
  return new AnalysisRefused('This file looks like JSON but cannot be read as such. Export the chat again.');
}
