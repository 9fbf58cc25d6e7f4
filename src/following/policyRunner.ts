import { setTimeout as delay } from 'node:timers/promises';
import type { Sql, Statement } from '../sql/sql.js';
import type { Position, StoredEvent } from '../eventsourcing/event.js';
import { START } from '../eventsourcing/event.js';
import type { Policy } from '../eventsourcing/policy.js';
import { Follower } from './follower.js';
import { remotePosition } from './remotePosition.js';
import type { Lease } from './leases.js';
import { aborted, isLeaseLost, Leadership, Leases } from './leases.js';
import { OperatorRefusal } from './operatorRefusal.js';
import type { ParkedStream, Skip, Unparking } from './parking.js';
import { Parking } from './parking.js';
import { mayBePoison, POISON_RETRY_MS } from './poison.js';
import type { EventReader } from './reader.js';
import type { BatchObserver } from './batchObserver.js';
import { unobserved } from './batchObserver.js';

/** Events after which a checkpoint is stored although none of them mattered. */
const STORE_EVERY = 200;

const MIGRATION = `
CREATE SCHEMA IF NOT EXISTS read;
CREATE TABLE IF NOT EXISTS read.policies (name text PRIMARY KEY, checkpoint bigint NOT NULL);`;

/** The policies as whoever waits for them sees them, whether this process runs them or another. */
export interface Policies {
  /** @returns false when not all policies have handled `position` within `timeoutMs` */
  reached(position: Position, timeoutMs: number): Promise<boolean>;
}

/** One policy behind a checkpoint of its own, at work while this process holds its lease. */
class RunningPolicy {
  readonly #follower: Follower;
  readonly #leadership: Leadership;
  readonly #parking: Parking;
  #lease: Lease | undefined;
  #stored: Position = START;
  #unstored = 0;
  #unparking = false;

  constructor(
    private readonly sql: Sql,
    private readonly reader: EventReader,
    readonly policy: Policy,
    leases: Leases,
    private readonly retryMs: readonly number[],
    private readonly observe: BatchObserver,
    onError: (error: unknown) => void,
  ) {
    const { name } = policy;
    this.#parking = new Parking(sql, `policy_${name}`, this.subject);
    this.#follower = new Follower({
      name,
      reader,
      from: START,
      handle: (events, last) => this.#handle(events, last),
      onError,
    });
    this.#leadership = new Leadership({
      leases,
      name: `policy_${name}`,
      lead: async (lease, until) => {
        this.#lease = lease;
        await this.#parking.load();
        this.#stored = await this.#checkpoint();
        this.#follower.start(this.#stored);
        await aborted(until);
        await this.#follower.stop();
      },
      stand: async () =>
        this.#follower.moveTo(await remotePosition(reader, await this.#checkpoint(), policy.handles)),
      onError,
    });
  }

  get subject(): string {
    return `policy ${this.policy.name}`;
  }

  get parkedStreams(): number {
    return this.#parking.size;
  }

  /** The last event it has handled; undefined while another process runs it. */
  get handled(): Position | undefined {
    return this.#leads ? this.#follower.position : undefined;
  }

  get #leads(): boolean {
    return this.#lease !== undefined && !this.#lease.lost.aborted;
  }

  start(): void {
    this.#leadership.start();
  }

  stop(): Promise<void> {
    return this.#leadership.stop();
  }

  reached(position: Position, timeoutMs: number): Promise<boolean> {
    return this.#follower.reached(position, timeoutMs);
  }

  parked(): Promise<ParkedStream[]> {
    return this.#parking.list();
  }

  async unpark(stream: string, skip?: Skip): Promise<Unparking> {
    const { name } = this.policy;
    if (!this.#leads) throw new OperatorRefusal(`the policy ${name} runs in another process; ask that one`);
    if (this.#unparking) throw new OperatorRefusal(`${name}: a parked stream is being replayed`);
    if (!this.#parking.has(stream)) throw new OperatorRefusal(`${stream} is not parked`);
    this.#unparking = true;
    await this.#follower.stop();
    try {
      return await this.#parking.replay(
        stream,
        skip,
        (name, from, limit) => this.reader.stream(name, from, limit),
        async (events, statements) => {
          for (const event of events) await this.policy.react(event);
          await this.#commit(this.#stored, statements);
        },
      );
    } finally {
      this.#unparking = false;
      if (this.#leads) this.#follower.start();
    }
  }

  async #handle(events: readonly StoredEvent[], last: Position): Promise<void> {
    const mine = events.filter(
      (event) =>
        event.position > this.#stored && this.policy.handles.has(event.type) && !this.#parking.skips(event),
    );
    const patience = [...this.retryMs];
    let held: StoredEvent[] = [];
    for (const event of mine) {
      if (this.#parking.has(event.stream)) {
        held.push(event);
        continue;
      }
      const reason = await this.#react(event, patience);
      if (reason === undefined) continue;
      await this.#commit(event.position, [
        ...this.#parking.park(held),
        ...this.#parking.park([event], reason),
      ]);
      this.#parking.add(event.stream);
      held = [];
    }
    // Where nothing was done little needs to be remembered: a restart looks again.
    this.#unstored += events.length;
    if (mine.length === 0 && this.#unstored < STORE_EVERY) return;
    await this.#commit(last, this.#parking.park(held));
    this.#unstored = 0;
  }

  /** @returns why the event has to be parked, if it has to be */
  async #react(event: StoredEvent, patience: number[]): Promise<unknown> {
    for (;;) {
      try {
        const { name } = this.policy;
        await this.observe({ kind: 'policy', name, events: [event] }, () => this.policy.react(event));
        return undefined;
      } catch (error) {
        if (!mayBePoison(error)) throw error;
        const wait = patience.shift();
        if (wait === undefined) return error;
        await delay(wait);
      }
    }
  }

  async #commit(checkpoint: Position, statements: readonly Statement[]): Promise<void> {
    const lease = this.#lease;
    if (!lease) throw new Error(`the policy ${this.policy.name} does not run in this process`);
    try {
      await this.sql.transaction(
        [
          {
            text: `INSERT INTO read.policies VALUES ($1, $2)
                   ON CONFLICT (name) DO UPDATE SET checkpoint = greatest(policies.checkpoint, excluded.checkpoint)`,
            params: [this.policy.name, checkpoint],
          },
          ...statements,
          lease.hold,
        ],
        'projection',
      );
    } catch (error) {
      if (isLeaseLost(error)) lease.lose();
      throw error;
    }
    this.#stored = checkpoint;
  }

  async #checkpoint(): Promise<Position> {
    const [row] = await this.sql.query<{ checkpoint: Position }>(
      'SELECT checkpoint FROM read.policies WHERE name = $1',
      [this.policy.name],
    );
    return row?.checkpoint ?? START;
  }
}

export interface PolicyRunnerOptions {
  /** This process' leases; without them it takes itself for the only one. */
  readonly leases?: Leases;
  /** Waits before further attempts at an event that failed. */
  readonly retryMs?: readonly number[];
  readonly observe?: BatchObserver;
}

/** Runs policies, each behind a checkpoint of its own. */
export class PolicyRunner implements Policies {
  private constructor(private readonly running: readonly RunningPolicy[]) {}

  static async open(
    sql: Sql,
    reader: EventReader,
    policies: readonly Policy[],
    onError: (policy: string, error: unknown) => void,
    { leases, retryMs = POISON_RETRY_MS, observe = unobserved }: PolicyRunnerOptions = {},
  ): Promise<PolicyRunner> {
    const own = leases ?? (await Leases.open(sql, { holder: 'main', alone: true }));
    await sql.script(MIGRATION);
    await Parking.migrate(sql);
    return new PolicyRunner(
      policies.map(
        (policy) =>
          new RunningPolicy(sql, reader, policy, own, retryMs, observe, (error) =>
            onError(policy.name, error),
          ),
      ),
    );
  }

  start(): void {
    for (const policy of this.running) policy.start();
  }

  async stop(): Promise<void> {
    await Promise.all(this.running.map((policy) => policy.stop()));
  }

  /** The last event that each policy has handled which this process runs. */
  handled(): { policy: string; position: Position }[] {
    return this.running.flatMap(({ policy, handled }) =>
      handled === undefined ? [] : [{ policy: policy.name, position: handled }],
    );
  }

  async reached(position: Position, timeoutMs: number): Promise<boolean> {
    const all = await Promise.all(this.running.map((policy) => policy.reached(position, timeoutMs)));
    return all.every(Boolean);
  }

  /** How many streams are parked, by policy: what this process knows without asking. */
  parkedStreams(): { policy: string; streams: number }[] {
    return this.running.map(({ policy, parkedStreams }) => ({ policy: policy.name, streams: parkedStreams }));
  }

  async parked(): Promise<ParkedStream[]> {
    return (await Promise.all(this.running.map((policy) => policy.parked()))).flat();
  }

  /**
   * Handles the events of a parked stream again; with `skip` without the first, or without all.
   * @returns undefined when it is not parked by one of these policies
   */
  unpark({ subject, stream }: ParkedStream, skip?: Skip): Promise<Unparking> | undefined {
    return this.running.find((policy) => policy.subject === subject)?.unpark(stream, skip);
  }
}
