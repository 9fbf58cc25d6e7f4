import type { Automaton } from './automaton.js';
import { automatonOf } from './automaton.js';
import type { DateOrder } from './dates.js';
import { DateOrders, Timeline } from './dates.js';
import type { Encoding } from './decode.js';
import { Decoder } from './decode.js';
import type { Context, Entry, Format } from './entry.js';
import { fingerprint, SeenTexts } from './fingerprint.js';
import type { FormatName } from './formats/recognise.js';
import { Recogniser } from './formats/recognise.js';
import { LanguageDetector } from './language.js';
import { Matcher } from './matcher.js';
import { AnalysisRefused } from './refused.js';
import type { RuleSet } from './rules.js';
import type { SequenceRow } from './sequences.js';
import { Sequences } from './sequences.js';
import { Summary } from './summary.js';

/** Characters of entries by which the language is known. */
const LANGUAGE_SAMPLE = 64 * 1024;

export type Strength = 'PHRASE' | 'TOKEN';

export interface Hit {
  readonly category: string;
  readonly strength: Strength;
}

/** An entry with hits. */
export interface Event {
  /** Of events, from 0. */
  readonly index: number;
  /** Of entries, from 0. */
  readonly entry: number;
  readonly context: Context;
  readonly speaker: string;
  readonly fingerprint: string;
  /** One for each category, in alphabetical order. */
  readonly hits: readonly Hit[];
  readonly text: string;
}

export interface Sink {
  event?(event: Event): void;
  sequence?(row: SequenceRow): void;
}

export interface AnalysisOptions {
  readonly rules: RuleSet;
  /** Left out, each is recognised. */
  readonly format?: FormatName | undefined;
  readonly languages?: readonly string[] | undefined;
  readonly encoding?: Encoding | undefined;
}

/** What was found, and as what the file was read. */
export interface Findings {
  readonly summary: Summary;
  readonly timeline: readonly (readonly [string, Int32Array])[];
  readonly dateOrder: DateOrder | undefined;
  readonly encoding: Encoding;
  readonly format: FormatName;
  readonly languages: readonly string[];
  readonly entries: number;
  /** Entries that came before, and were dropped. */
  readonly repeated: number;
  /** Places that could not be read, shown as U+FFFD. */
  readonly unreadable: number;
}

/**
 * One analysis: bytes in, events and sequences out as they are found, in one pass. Memory does not grow with
 * the file but for eight bytes and room of each entry, by which repetitions are known.
 */
export class Analysis {
  readonly #rules: RuleSet;
  readonly #names: readonly string[];
  readonly #decoder: Decoder;
  readonly #recogniser: Recogniser;
  readonly #seen = new SeenTexts();
  readonly #summary: Summary;
  readonly #sequences: Sequences;
  readonly #orders = new DateOrders();
  readonly #timeline: Timeline;
  /** Entries that wait for the language to be known. */
  #waiting: Entry[] | undefined;
  #waitingLength = 0;
  #languages: readonly string[];
  #matcher: Matcher | undefined;
  #entries = 0;
  #repeated = 0;
  #unreadable = 0;

  /** @throws AnalysisRefused for a language that the rules do not have */
  constructor(
    { rules, format, languages = [], encoding }: AnalysisOptions,
    private readonly sink: Sink = {},
  ) {
    this.#rules = rules;
    this.#names = [...rules.categories.keys()];
    this.#decoder = new Decoder((text) => this.#text(text), encoding);
    this.#recogniser = new Recogniser(format, (entry) => this.#entry(entry));
    this.#summary = new Summary(this.#names);
    this.#timeline = new Timeline(this.#names.length);
    const bit = (name: string): number => 1 << this.#names.indexOf(name);
    const pairs = rules.sequences.map(([first, second]) => [bit(first), bit(second)] as const);
    this.#sequences = new Sequences(pairs, rules.window, (row) => this.#row(row));
    this.#languages = languages;
    if (languages.length > 0) this.#matcher = new Matcher(automaton(rules, languages));
    else this.#waiting = [];
  }

  /** Moves of the automaton so far. */
  get steps(): number {
    return this.#matcher?.steps ?? 0;
  }

  /** @throws AnalysisRefused */
  push(bytes: Uint8Array): void {
    this.#decoder.push(bytes);
  }

  /** @throws AnalysisRefused */
  end(): Findings {
    this.#decoder.end();
    this.#recogniser.end();
    this.#chooseLanguage();
    this.#sequences.end();
    const dateOrder = this.#orders.order;
    return {
      summary: this.#summary,
      timeline: this.#timeline.of(dateOrder),
      dateOrder,
      encoding: this.#decoder.encoding ?? 'utf-8',
      format: this.#recogniser.format,
      languages: this.#languages,
      entries: this.#entries,
      repeated: this.#repeated,
      unreadable: this.#unreadable,
    };
  }

  #text(text: string): void {
    for (let at = text.indexOf('\ufffd'); at !== -1; at = text.indexOf('\ufffd', at + 1))
      this.#unreadable += 1;
    (this.#recogniser as Format).push(text);
  }

  #entry(entry: Entry): void {
    if (!this.#waiting) return this.#match(entry);
    this.#waiting.push(entry);
    this.#waitingLength += entry.text.length + 1;
    if (this.#waitingLength >= LANGUAGE_SAMPLE) this.#chooseLanguage();
  }

  #chooseLanguage(): void {
    if (!this.#waiting) return;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    const detector = new LanguageDetector(this.#rules);
    let left = LANGUAGE_SAMPLE;
    for (const { text } of waiting) {
      detector.add(text.slice(0, left));
      left -= Math.min(left, text.length);
    }
    this.#languages = [detector.language];
    this.#matcher = new Matcher(automaton(this.#rules, this.#languages));
    for (const entry of waiting) this.#match(entry);
  }

  #match({ index, speaker, text, stamp, context }: Entry): void {
    this.#entries += 1;
    if (stamp) this.#orders.push(stamp);
    if (text === '') return;
    const lower = text.toLowerCase();
    if (!this.#seen.add(lower)) {
      this.#repeated += 1;
      return;
    }
    const matcher = this.#matcher as Matcher;
    matcher.begin();
    matcher.text(text, lower);
    const { tokens, phrases } = matcher;
    const bits = tokens | phrases;
    if (bits === 0) return;
    const event = this.#summary.events;
    const print = fingerprint(text);
    this.#summary.event(context, tokens, phrases);
    if (stamp) this.#timeline.add(stamp, bits);
    this.sink.event?.({
      index: event,
      entry: index,
      context,
      speaker,
      fingerprint: print,
      hits: this.#hits(bits, phrases),
      text,
    });
    this.#sequences.add({ index: event, contextKey: context.key, fingerprint: print, text, bits });
  }

  #hits(bits: number, phrases: number): Hit[] {
    const hits: Hit[] = [];
    this.#names.forEach((category, index) => {
      const bit = 1 << index;
      if (bits & bit) hits.push({ category, strength: phrases & bit ? 'PHRASE' : 'TOKEN' });
    });
    return hits;
  }

  #row(row: SequenceRow): void {
    this.#summary.sequence(sequenceName(this.#rules, row.sequence));
    this.sink.sequence?.(row);
  }
}

/** As outputs name a sequence: `A -> B`. */
export function sequenceName({ sequences }: RuleSet, index: number): string {
  return (sequences[index] ?? []).join(' -> ');
}

/** Automata of rule sets that are in use: building one takes longer than most analyses. */
const built = new WeakMap<RuleSet, Map<string, Automaton>>();

function automaton(rules: RuleSet, languages: readonly string[]): Automaton {
  const key = [...languages].sort().join();
  let ofRules = built.get(rules);
  if (!ofRules) built.set(rules, (ofRules = new Map<string, Automaton>()));
  let found = ofRules.get(key);
  if (!found) {
    const chosen = languages.map((name) => {
      const language = rules.languages.get(name);
      if (!language) {
        const known = [...rules.languages.keys()].join(', ');
        throw new AnalysisRefused(`That language is not known. Choose of: ${known}.`);
      }
      return language;
    });
    ofRules.set(key, (found = automatonOf(rules, chosen)));
  }
  return found;
}
