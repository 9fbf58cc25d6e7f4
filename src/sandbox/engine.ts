import type { Clock } from '../clock.js';
import { ApiError } from './errors.js';
import type { Seconds } from './rules/time.js';
import type { SandboxStore } from './store.js';
import type { RequestInfo, World } from './unit.js';
import { Unit } from './unit.js';

const CLOCK = 'clock';
const TIME: RequestInfo = { id: null, idempotency_key: null };

/** Runs one unit after the other, each stored before it is answered, and keeps the sandbox's time. */
export class Engine {
  #last: Promise<unknown> = Promise.resolve();
  /** While time is being moved: the moment that it is. */
  #pinned: Seconds | undefined;
  readonly #listeners = new Set<() => void>();

  constructor(
    private readonly store: SandboxStore,
    private readonly clock: Clock,
    private readonly world: World,
    /** Called with each unit before it is stored, e.g. to address its events. */
    private readonly beforeCommit: (unit: Unit) => void,
  ) {}

  /** The sandbox's time. */
  now(): Seconds {
    return this.#pinned ?? this.#real() + this.#ahead();
  }

  /** The same to the millisecond; while time is being moved it stands still. */
  time(): number {
    return this.#pinned === undefined ? this.clock() + this.#ahead() * 1000 : this.#pinned * 1000;
  }

  /** Calls back whenever something was stored. */
  onCommit(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /** @throws ApiError with nothing stored, unless the error is of a charge that was tried */
  run<T>(work: (unit: Unit) => T, request: RequestInfo = TIME): Promise<T> {
    const done = this.#last.then(async () => {
      const unit = new Unit(this.store, this.now(), request, this.world);
      let result: { value: T } | { error: ApiError };
      try {
        result = { value: work(unit) };
      } catch (error) {
        if (!(error instanceof ApiError && error.keepsChanges)) throw error;
        result = { error };
      }
      this.beforeCommit(unit);
      await this.store.commit(unit.changes);
      for (const listener of this.#listeners) listener();
      if ('error' in result) throw result.error;
      return result.value;
    });
    this.#last = done.catch(() => undefined);
    return done;
  }

  /** Stands still at a moment, until it is released. */
  pin(at: Seconds): void {
    this.#pinned = at;
  }

  /** Time goes on from a moment; it is kept over restarts. */
  async release(at: Seconds): Promise<void> {
    const ahead = at - this.#real();
    await this.run((unit) => {
      unit.add('clock', { id: CLOCK, object: 'clock', created: 0, ahead });
    });
    this.#pinned = undefined;
  }

  #real(): Seconds {
    return Math.floor(this.clock() / 1000);
  }

  #ahead(): Seconds {
    return (this.store.table('clock').get(CLOCK) as { ahead: number } | undefined)?.ahead ?? 0;
  }
}
