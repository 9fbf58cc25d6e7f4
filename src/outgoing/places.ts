/** Deliveries at once, of one kind: webhooks never wait for mails, nor mails for webhooks. */
export const MAX_OF_KIND = 64;
export const MAX_OF_OWNER = 8;
export const MAX_OF_LANE = 4;
/** In lanes that were slow, of one kind: what is known to hold its place leaves most of them to the others. */
export const MAX_IN_SLOW_LANES = 16;
/** Milliseconds from which an attempt was slow, whatever came of it. */
export const SLOW_MS = 5_000;
/** Lanes that are known to be slow; of more of them the first are forgotten, and soon found again. */
const MAX_SLOW_LANES = 1_000;

/** What takes a place. */
interface Placed {
  readonly kind: string;
  readonly id: string;
  readonly lane: string;
  readonly owner: string;
}

/** What has no place left, and how many deliveries of each owner run. */
export interface Taken {
  readonly kinds: readonly string[];
  readonly lanes: readonly string[];
  readonly running: readonly string[];
  readonly owners: readonly { readonly owner: string; readonly running: number }[];
}

/** The places of deliveries that run at once, so bounded that nobody's slow receivers hold up somebody else. */
export class Places {
  readonly #running = new Map<string, Placed>();
  /** Lanes whose last attempt was slow, with their kinds, the longest known first. */
  readonly #slow = new Map<string, string>();

  has({ kind, owner, lane }: Placed): boolean {
    return (
      this.#count((other) => other.kind === kind) < MAX_OF_KIND &&
      this.#count((other) => other.owner === owner) < MAX_OF_OWNER &&
      this.#count((other) => other.lane === lane) < MAX_OF_LANE &&
      (!this.#slow.has(lane) || this.#inSlowLanes(kind) < MAX_IN_SLOW_LANES)
    );
  }

  take(delivery: Placed): void {
    this.#running.set(delivery.id, delivery);
  }

  /** An attempt took so many milliseconds. */
  took({ kind, lane }: Placed, ms: number): void {
    this.#slow.delete(lane);
    if (ms < SLOW_MS) return;
    this.#slow.set(lane, kind);
    if (this.#slow.size > MAX_SLOW_LANES) this.#slow.delete(this.#slow.keys().next().value as string);
  }

  leave({ id }: Placed): void {
    this.#running.delete(id);
  }

  get taken(): Taken {
    const running = [...this.#running.values()];
    const kinds = [...new Set(running.map(({ kind }) => kind))];
    const lanes = [...new Set(running.map(({ lane }) => lane))];
    const slow = kinds.filter((kind) => this.#inSlowLanes(kind) >= MAX_IN_SLOW_LANES);
    const owners = [...new Set(running.map(({ owner }) => owner))];
    return {
      kinds: kinds.filter((kind) => this.#count((other) => other.kind === kind) >= MAX_OF_KIND),
      lanes: [
        ...lanes.filter((lane) => this.#count((other) => other.lane === lane) >= MAX_OF_LANE),
        ...[...this.#slow].filter(([, kind]) => slow.includes(kind)).map(([lane]) => lane),
      ],
      running: [...this.#running.keys()],
      owners: owners.map((owner) => ({ owner, running: this.#count((other) => other.owner === owner) })),
    };
  }

  #inSlowLanes(kind: string): number {
    return this.#count((other) => other.kind === kind && this.#slow.has(other.lane));
  }

  #count(counts: (delivery: Placed) => boolean): number {
    let count = 0;
    for (const delivery of this.#running.values()) if (counts(delivery)) count++;
    return count;
  }
}
