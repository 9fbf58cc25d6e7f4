import { randomBytes } from 'node:crypto';
import { missing } from './errors.js';
import { Faults } from './faults.js';
import type { Kind, Metadata, Objects, StripeEvent } from './objects.js';
import { PREFIXES } from './objects.js';
import { present, previousAttributes } from './present.js';
import type { Seconds } from './rules/time.js';
import type { Changes, SandboxStore } from './store.js';

/** The version whose shapes the sandbox speaks. */
export const API_VERSION = '2026-10-28.endive';

/** Which request it is that changes things; null for what time brings. */
export interface RequestInfo {
  readonly id: string | null;
  readonly idempotency_key: string | null;
}

/** What an account of Stripe's has as settings. */
export interface Settings {
  /** Days from each failed charge of a renewal to the next one. */
  readonly retryDays: readonly number[];
  /** What becomes of a subscription when the last one has failed. */
  readonly afterRetries: 'canceled' | 'past_due' | 'unpaid';
  /** How long before a renewal `invoice.upcoming` is sent, in days. */
  readonly upcomingDays: number;
}

/** What every request finds beside what is stored. */
export interface World {
  /** Where the pages for people are, without a slash at the end. */
  readonly pagesUrl: () => string;
  readonly faults: Faults;
  readonly settings: Settings;
}

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

export const randomText = (length: number): string =>
  Array.from(randomBytes(length), (byte) => BASE62[byte % BASE62.length]).join('');

/** Marked as the sandbox's, so that nobody takes it for Stripe's. */
export const sandboxId = (prefix: string): string => `${prefix}_sbx_${randomText(18)}`;

/**
 * What one request, or one moment, does: it reads what is stored and gathers what changes. Objects that
 * come from `edit` and `add` may be changed; all others are as they are stored.
 */
export class Unit {
  readonly #changes = new Map<Kind, Map<string, Objects[Kind] | undefined>>();
  /** Objects as they were last told of by an event, or stored. */
  readonly #told = new Map<string, Record<string, unknown>>();
  readonly #now: Seconds;
  /** What was told of so far. */
  readonly events: StripeEvent[] = [];

  constructor(
    private readonly store: SandboxStore,
    now: Seconds,
    readonly request: RequestInfo,
    readonly world: World,
  ) {
    this.#now = now;
  }

  /** What is tried in it stays in it: for previews. */
  fork(): Unit {
    return new Unit(this.store, this.#now, this.request, { ...this.world, faults: new Faults() });
  }

  get pagesUrl(): string {
    return this.world.pagesUrl();
  }

  get now(): Seconds {
    return this.#now;
  }

  get changes(): Changes {
    return this.#changes;
  }

  id(kind: Kind): string {
    return sandboxId(PREFIXES[kind]);
  }

  /** What every object begins with. */
  base<O extends string>(kind: Kind, object: O, id = this.id(kind)) {
    return { id, object, created: this.#now, livemode: false as const };
  }

  find<K extends Kind>(kind: K, id: string | null | undefined): Objects[K] | undefined {
    if (id == null) return undefined;
    const changed = this.#changes.get(kind);
    if (changed?.has(id)) return changed.get(id) as Objects[K] | undefined;
    return this.store.table(kind).get(id) as Objects[K] | undefined;
  }

  /** @throws ApiError where there is none. `param` names the parameter that holds the id */
  get<K extends Kind>(kind: K, id: string, param?: string): Objects[K] {
    const found = this.find(kind, id);
    if (found === undefined) throw missing(kind.replace(/_/g, ' ').replace(/^.*\./, ''), id, param);
    return found;
  }

  edit<K extends Kind>(kind: K, id: string, param?: string): Objects[K] {
    const changed = this.#changes.get(kind)?.get(id);
    if (changed) return changed as Objects[K];
    const stored = this.get(kind, id, param);
    this.#told.set(id, present(stored) as Record<string, unknown>);
    const copy = structuredClone(stored);
    this.#change(kind, id, copy);
    return copy;
  }

  add<K extends Kind>(kind: K, object: Objects[K]): Objects[K] {
    this.#change(kind, object.id, object);
    return object;
  }

  remove(kind: Kind, id: string): void {
    this.#change(kind, id, undefined);
  }

  /** All of a kind, the oldest first. */
  *all<K extends Kind>(kind: K): Generator<Objects[K]> {
    const changed = this.#changes.get(kind);
    const stored = this.store.table(kind);
    for (const [id, object] of stored) {
      const current = changed?.has(id) ? changed.get(id) : object;
      if (current) yield current as Objects[K];
    }
    for (const [id, object] of changed ?? []) {
      if (object && !stored.has(id)) yield object as Objects[K];
    }
  }

  filter<K extends Kind>(kind: K, matches: (object: Objects[K]) => boolean): Objects[K][] {
    return [...this.all(kind)].filter(matches);
  }

  /** Tells of an object as it is now. */
  emit(type: string, object: { readonly id: string }): void {
    this.#tell(type, present(object) as Record<string, unknown>);
  }

  /** Tells that an object has changed, if what the API shows of it has. */
  emitUpdate(type: string, object: { readonly id: string }): void {
    const before = this.#told.get(object.id);
    if (!before) return;
    const shown = present(object) as Record<string, unknown>;
    const previous = previousAttributes(before, shown);
    if (Object.keys(previous).length > 0) this.#tell(type, shown, previous);
  }

  #tell(type: string, object: Record<string, unknown>, previous?: Record<string, unknown>): void {
    this.#told.set(object['id'] as string, object);
    const event: StripeEvent = {
      ...this.base('event', 'event'),
      api_version: API_VERSION,
      data: { object: structuredClone(object), ...(previous && { previous_attributes: previous }) },
      pending_webhooks: 0,
      request: this.request,
      type,
    };
    this.add('event', event);
    this.events.push(event);
  }

  #change(kind: Kind, id: string, object: Objects[Kind] | undefined): void {
    let changed = this.#changes.get(kind);
    if (!changed) this.#changes.set(kind, (changed = new Map<string, Objects[Kind] | undefined>()));
    changed.set(id, object);
  }
}

/** Metadata as a request changes them: an empty value removes a key, an empty string all. */
export function mergedMetadata(before: Metadata, given: unknown): Metadata {
  if (given === undefined) return before;
  if (given === '') return {};
  const merged = { ...before, ...(given as Metadata) };
  return Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== ''));
}
