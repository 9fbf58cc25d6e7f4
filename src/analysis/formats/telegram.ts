import { z } from 'zod';
import type { Format, OnEntry } from '../entry.js';
import { UNANCHORED, cleaned } from '../entry.js';
import { Cursor, readStamp } from '../stamp.js';
import { JsonElements } from './jsonElements.js';

const Piece = z.union([z.string(), z.object({ text: z.string() }).transform(({ text }) => text)]);

const Message = z.object({
  type: z.string(),
  date: z.string().optional(),
  /** Null for a deleted account. */
  from: z.string().nullish(),
  text: z.union([z.string(), z.array(Piece).transform((pieces) => pieces.join(''))]).optional(),
});

/** Telegram Desktop's `result.json`, of a chat or of the whole account. */
export class TelegramFormat implements Format {
  readonly #elements = new JsonElements('messages', (element) => this.#message(element));
  #index = 0;

  constructor(private readonly onEntry: OnEntry) {}

  push(text: string): void {
    this.#elements.push(text);
  }

  end(): void {
    this.#elements.end();
  }

  #message(element: unknown): void {
    const parsed = Message.safeParse(element);
    const index = this.#index++;
    const { type, date = '', from, text = '' } = parsed.success ? parsed.data : { type: '' };
    this.onEntry({
      index,
      speaker: type === 'message' ? cleaned(from ?? '') : '',
      text: type === 'message' ? cleaned(text) : '',
      stamp: readStamp(new Cursor(date), 'export'),
      context: UNANCHORED,
    });
  }
}

/** Whether a text begins as Telegram's JSON does. */
export function isTelegram(sample: string): boolean {
  return (
    sample.trimStart().startsWith('{') &&
    /"messages"\s*:\s*\[/.test(sample) &&
    /"from_id"|"date_unixtime"|"type"\s*:\s*"(service|message)"/.test(sample)
  );
}
