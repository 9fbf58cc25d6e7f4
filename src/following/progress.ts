import type { Position } from '../eventsourcing/event.js';

/** How far something has come in the global order of events, and who waits for it to come further. */
export class Progress {
  readonly #waiters = new Set<{ readonly position: Position; readonly resolve: () => void }>();

  /** @param onAwaited is called when somebody begins to wait */
  constructor(
    private at: Position,
    private readonly onAwaited: () => void = () => undefined,
  ) {}

  get position(): Position {
    return this.at;
  }

  /** Whether somebody waits. */
  get awaited(): boolean {
    return this.#waiters.size > 0;
  }

  moveTo(position: Position): void {
    this.at = position;
    for (const waiter of this.#waiters) if (waiter.position <= position) waiter.resolve();
  }

  /**
   * Waits until `position` is reached.
   * @returns false when that took longer than `timeoutMs`
   */
  async reached(position: Position, timeoutMs: number): Promise<boolean> {
    if (this.at >= position) return true;
    let waiter!: { position: Position; resolve: () => void };
    const arrived = new Promise<boolean>((resolve) => {
      waiter = { position, resolve: () => resolve(true) };
    });
    this.#waiters.add(waiter);
    this.onAwaited();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), timeoutMs);
    });
    const result = await Promise.race([arrived, late]);
    clearTimeout(timer);
    this.#waiters.delete(waiter);
    return result;
  }
}
