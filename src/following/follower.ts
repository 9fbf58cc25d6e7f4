import { setTimeout as delay } from 'node:timers/promises';
import type { Position, StoredEvent } from '../eventsourcing/event.js';
import { NotYet, Outage } from '../outage.js';
import { Progress } from './progress.js';
import type { EventReader } from './reader.js';

/** A page with so many events has more behind it. */
const FULL_PAGE = 500;
/** From one page to the next at the head, at most, where nothing else is asked for. */
const REST_MS = 100;
const RETRY_MS_MIN = 50;
const RETRY_MS_MAX = 1_000;
/** Whoever waits for a store that is away is to see it return at once. */
const OUTAGE_RETRY_MS_MAX = 250;

export interface FollowerOptions {
  readonly name: string;
  readonly reader: EventReader;
  /** The last event that was handled. */
  readonly from: Position;
  /** Handles a page; the next one comes only afterwards, the same one again after an error. */
  readonly handle: (events: readonly StoredEvent[], last: Position) => Promise<void> | void;
  /** Not told of what is not there yet. */
  readonly onError: (error: unknown, attempt: number) => void;
  /** From one page to the next at the head, at most, in milliseconds. */
  readonly restMs?: number;
}

/** Follows the global order from a position, at its own pace; may be stopped and started again. */
export class Follower {
  readonly #progress: Progress;
  #failure: unknown;
  #loop: Promise<void> | undefined;
  #stop = new AbortController();
  #resume: (() => void) | undefined;
  /** How often somebody has begun to wait: a page that was asked for before may lack what they wait for. */
  #asked = 0;

  constructor(private readonly options: FollowerOptions) {
    this.#progress = new Progress(options.from, () => {
      this.#asked++;
      this.#resume?.();
    });
  }

  /** The last event that was handled. */
  get position(): Position {
    return this.#progress.position;
  }

  /** Why it is not making progress at the moment, if it does not. */
  get failure(): unknown {
    return this.#failure;
  }

  /** @param from where to go on, if not behind the last event that was handled */
  start(from?: Position): void {
    if (this.#loop) return;
    if (from !== undefined) this.#progress.moveTo(from);
    this.#stop = new AbortController();
    this.#loop = this.#run(this.#stop.signal);
  }

  /** Whoever waits goes on waiting for the next start. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#resume?.();
    await this.#loop;
    this.#loop = undefined;
  }

  /** While it is stopped: somebody else has handled the events up to here. */
  moveTo(position: Position): void {
    this.#progress.moveTo(position);
  }

  /**
   * Waits until `position` has been handled.
   * @returns false when that took longer than `timeoutMs`
   */
  reached(position: Position, timeoutMs: number): Promise<boolean> {
    return this.#progress.reached(position, timeoutMs);
  }

  async #run(stop: AbortSignal): Promise<void> {
    const { reader, handle, onError } = this.options;
    for (let attempt = 0; !stop.aborted;) {
      const { wakes } = reader;
      const asked = this.#asked;
      try {
        const page = await reader.page(this.position);
        if (stop.aborted) return;
        const last = page.at(-1)?.position;
        if (last === undefined) {
          if (reader.wakes === wakes && this.#asked === asked)
            await this.#pause((resume) => reader.onWake(resume));
        } else {
          await handle(page, last);
          this.#progress.moveTo(last);
          if (page.length < FULL_PAGE) await this.#rest();
        }
        attempt = 0;
        this.#failure = undefined;
      } catch (error) {
        this.#failure = error;
        attempt++;
        if (!(error instanceof NotYet)) onError(error, attempt);
        const longest = error instanceof Outage ? OUTAGE_RETRY_MS_MAX : RETRY_MS_MAX;
        const wait = Math.min(longest, RETRY_MS_MIN * 2 ** attempt);
        await delay(wait, undefined, { signal: stop }).catch(() => undefined);
      }
    }
  }

  /**
   * Before the next events at the head, unless somebody waits for them: under load it makes few large
   * pages of many small ones. All followers rest until the same moments, so that they share the pages.
   */
  async #rest(): Promise<void> {
    if (this.#progress.awaited) return;
    const { restMs = REST_MS } = this.options;
    await this.#pause((resume) => {
      const timer = setTimeout(resume, restMs - (performance.now() % restMs));
      return () => clearTimeout(timer);
    });
  }

  /** Waits until `begin` calls back, somebody waits for events, or the follower is stopped. */
  async #pause(begin: (resume: () => void) => () => void): Promise<void> {
    if (this.#stop.signal.aborted) return;
    let end: (() => void) | undefined;
    await new Promise<void>((resolve) => {
      this.#resume = resolve;
      end = begin(resolve);
    });
    this.#resume = undefined;
    end?.();
  }
}
