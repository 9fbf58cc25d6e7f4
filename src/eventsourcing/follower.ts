import { setTimeout as delay } from 'node:timers/promises';
import type { Position, StoredEvent } from './event.js';
import type { EventReader } from './reader.js';

/** A page with so many events has more behind it. */
const FULL_PAGE = 500;
/** From one page to the next at the head, at most. */
const REST_MS = 100;
const RETRY_MS_MIN = 50;
const RETRY_MS_MAX = 1_000;

export interface FollowerOptions {
  readonly name: string;
  readonly reader: EventReader;
  /** The last event that was handled. */
  readonly from: Position;
  /** Handles a page; the next one comes only afterwards, the same one again after an error. */
  readonly handle: (events: readonly StoredEvent[], last: Position) => Promise<void> | void;
  readonly onError: (error: unknown, attempt: number) => void;
}

/** Follows the global order from a position, at its own pace, until stopped. */
export class Follower {
  #position: Position;
  #stopped = false;
  #failure: unknown;
  #loop: Promise<void> | undefined;
  readonly #waiters = new Set<{ position: Position; resolve: () => void }>();
  readonly #stop = new AbortController();
  #resume: (() => void) | undefined;

  constructor(private readonly options: FollowerOptions) {
    this.#position = options.from;
  }

  /** The last event that was handled. */
  get position(): Position {
    return this.#position;
  }

  /** Why it does not get on at the moment, if it does not. */
  get failure(): unknown {
    return this.#failure;
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#stop.abort();
    this.#resume?.();
    await this.#loop;
  }

  /**
   * Waits until `position` has been handled.
   * @returns false when that took longer than `timeoutMs`
   */
  async reached(position: Position, timeoutMs: number): Promise<boolean> {
    if (this.#position >= position) return true;
    let waiter!: { position: Position; resolve: () => void };
    const arrived = new Promise<boolean>((resolve) => {
      waiter = { position, resolve: () => resolve(true) };
    });
    this.#waiters.add(waiter);
    this.#resume?.();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), timeoutMs);
    });
    const result = await Promise.race([arrived, late]);
    clearTimeout(timer);
    this.#waiters.delete(waiter);
    return result;
  }

  async #run(): Promise<void> {
    const { reader, handle, onError } = this.options;
    for (let attempt = 0; !this.#stopped;) {
      const { wakes } = reader;
      try {
        const page = await reader.page(this.#position);
        if (this.#stopped) return;
        const last = page.at(-1)?.position;
        if (last === undefined) {
          if (reader.wakes === wakes) await this.#pause((resume) => reader.onWake(resume));
        } else {
          await handle(page, last);
          this.#advance(last);
          if (page.length < FULL_PAGE) await this.#rest();
        }
        attempt = 0;
        this.#failure = undefined;
      } catch (error) {
        this.#failure = error;
        onError(error, ++attempt);
        const wait = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** attempt);
        await delay(wait, undefined, { signal: this.#stop.signal }).catch(() => undefined);
      }
    }
  }

  /**
   * Before the next events at the head, unless somebody waits for them: under load it makes few large
   * pages of many small ones. All followers rest until the same moments, so that they share the pages.
   */
  async #rest(): Promise<void> {
    if (this.#waiters.size > 0) return;
    await this.#pause((resume) => {
      const timer = setTimeout(resume, REST_MS - (performance.now() % REST_MS));
      return () => clearTimeout(timer);
    });
  }

  /** Waits until `begin` calls back, somebody waits for events, or the follower is stopped. */
  async #pause(begin: (resume: () => void) => () => void): Promise<void> {
    if (this.#stopped) return;
    let end: (() => void) | undefined;
    await new Promise<void>((resolve) => {
      this.#resume = resolve;
      end = begin(resolve);
    });
    this.#resume = undefined;
    end?.();
  }

  #advance(position: Position): void {
    this.#position = position;
    for (const waiter of this.#waiters) if (waiter.position <= position) waiter.resolve();
  }
}
