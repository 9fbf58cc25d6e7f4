import type { Position, StoredEvent } from '../eventsourcing/event.js';
import { START } from '../eventsourcing/event.js';
import { Follower } from './follower.js';
import type { EventReader } from './reader.js';

/** Safety net for a wake-up that was missed. */
const POLL_MS = 1_000;

export interface RemoteFollowersOptions {
  readonly reader: EventReader;
  /** Event types that matter to each of them, by name. */
  readonly handles: ReadonlyMap<string, ReadonlySet<string>>;
  /** Reads the stored checkpoints by name; one that has never run has none. */
  readonly load: () => Promise<ReadonlyMap<string, Position>>;
  /** Calls back when checkpoints may have moved. */
  readonly onMoved: (listener: () => void) => () => void;
  readonly onError: (error: unknown) => void;
}

/**
 * Followers that run in another process, by the checkpoints that they store. A checkpoint is not stored
 * for every event that did not matter, so this process follows the events too, to know which ones did:
 * who has stored the last one that mattered up to a position has reached that position.
 */
export class RemoteFollowers {
  #checkpoints: ReadonlyMap<string, Position> = new Map();
  readonly #mattered = new Map<string, Position>();
  #local!: Follower;
  #failure: unknown;
  #loading: Promise<void> | undefined;
  #again = false;
  readonly #waiters = new Set<() => void>();
  #poll: NodeJS.Timeout | undefined;
  #unsubscribe: (() => void) | undefined;

  private constructor(private readonly options: RemoteFollowersOptions) {}

  static async open(options: RemoteFollowersOptions): Promise<RemoteFollowers> {
    const followers = new RemoteFollowers(options);
    // From here on nothing is missed; what mattered before the furthest behind is reached by all.
    followers.#checkpoints = await options.load();
    const from = [...options.handles.keys()].map((name) => followers.checkpoint(name));
    followers.#local = new Follower({
      name: 'remote followers',
      reader: options.reader,
      from: Math.min(...from),
      handle: (events, last) => followers.#see(events, last),
      onError: options.onError,
    });
    followers.#local.start();
    followers.#unsubscribe = options.onMoved(() => void followers.refresh());
    followers.#poll = setInterval(() => void followers.refresh(), POLL_MS).unref();
    return followers;
  }

  /** Stored; what it has seen since then did not matter to it. */
  checkpoint(name: string): Position {
    return this.#checkpoints.get(name) ?? START;
  }

  /** Why the checkpoints are not known at the moment, if they are not. */
  get failure(): unknown {
    return this.#failure ?? this.#local.failure;
  }

  /** Reads the checkpoints; what is stored when this is called is known when it resolves. */
  async refresh(): Promise<void> {
    this.#again = true;
    return (this.#loading ??= this.#load().finally(() => (this.#loading = undefined)));
  }

  /** @returns false when it did not get there within `timeoutMs` */
  async reached(name: string, position: Position, timeoutMs: number): Promise<boolean> {
    if (this.#has(name, position)) return true;
    const deadline = performance.now() + timeoutMs;
    await this.#local.reached(position, timeoutMs);
    while (!this.#has(name, position)) {
      const left = deadline - performance.now();
      if (left <= 0) return false;
      await this.#news(left);
    }
    return true;
  }

  async stop(): Promise<void> {
    this.#unsubscribe?.();
    clearInterval(this.#poll);
    await this.#local.stop();
    await this.#loading;
  }

  async #load(): Promise<void> {
    while (this.#again) {
      // What is told while this reads may not be in it: it reads once more.
      this.#again = false;
      try {
        this.#checkpoints = await this.options.load();
        this.#failure = undefined;
      } catch (error) {
        if (this.#failure === undefined) this.options.onError(error);
        this.#failure = error;
      }
      this.#tell();
    }
  }

  #see(events: readonly StoredEvent[], _last: Position): void {
    for (const [name, types] of this.options.handles) {
      const mattering = events.findLast(({ type }) => types.has(type));
      if (mattering) this.#mattered.set(name, mattering.position);
    }
    // The follower's position moves behind this page.
    setImmediate(() => this.#tell());
  }

  #has(name: string, position: Position): boolean {
    const checkpoint = this.#checkpoints.get(name);
    if (checkpoint === undefined) return false;
    if (checkpoint >= position) return true;
    return this.#local.position >= position && checkpoint >= (this.#mattered.get(name) ?? START);
  }

  #tell(): void {
    for (const waiter of this.#waiters) waiter();
  }

  async #news(timeoutMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    let waiter!: () => void;
    await new Promise<void>((resolve) => {
      waiter = resolve;
      this.#waiters.add(waiter);
      timer = setTimeout(resolve, timeoutMs);
    });
    clearTimeout(timer);
    this.#waiters.delete(waiter);
  }
}
