import type { Sql } from '../sql/sql.js';
import type { CommandContext } from './commandHandler.js';
import type { Position, StoredEvent } from './event.js';
import { START } from './event.js';
import { Follower } from './follower.js';
import type { EventReader } from './reader.js';

/**
 * Events that cause commands. Runs at least once for each event, so what it does must be idempotent:
 * its commands derive their ids from the event.
 */
export interface Policy {
  readonly name: string;
  readonly handles: ReadonlySet<string>;
  react(event: StoredEvent): Promise<void>;
}

/** A command that an event causes: its id is the event's, its time the event's. */
export function causedBy(event: StoredEvent, policy: string): CommandContext {
  return {
    commandId: event.id,
    caller: `policy:${policy}`,
    requestHash: event.id,
    at: new Date(event.metadata.at),
    environment: event.metadata.environment,
    correlationId: event.metadata.correlationId,
    causationId: event.id,
  };
}

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

/** Runs policies, each behind a checkpoint of its own. */
export class PolicyRunner implements Policies {
  readonly #followers = new Map<string, Follower>();

  static async open(
    sql: Sql,
    reader: EventReader,
    policies: readonly Policy[],
    onError: (policy: string, error: unknown) => void,
  ): Promise<PolicyRunner> {
    await sql.script(MIGRATION);
    const runner = new PolicyRunner();
    for (const policy of policies) {
      const [row] = await sql.query<{ checkpoint: Position }>(
        'SELECT checkpoint FROM read.policies WHERE name = $1',
        [policy.name],
      );
      let unstored = 0;
      runner.#followers.set(
        policy.name,
        new Follower({
          name: policy.name,
          reader,
          from: row?.checkpoint ?? START,
          handle: async (events, last) => {
            const mine = events.filter((event) => policy.handles.has(event.type));
            for (const event of mine) await policy.react(event);
            // Where nothing was done little needs to be remembered: a restart looks again.
            unstored += events.length;
            if (mine.length === 0 && unstored < STORE_EVERY) return;
            unstored = 0;
            await sql.query(
              `INSERT INTO read.policies VALUES ($1, $2)
               ON CONFLICT (name) DO UPDATE SET checkpoint = greatest(policies.checkpoint, excluded.checkpoint)`,
              [policy.name, last],
              'projection',
            );
          },
          onError: (error) => onError(policy.name, error),
        }),
      );
    }
    return runner;
  }

  start(): void {
    for (const follower of this.#followers.values()) follower.start();
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#followers.values()].map((follower) => follower.stop()));
  }

  async reached(position: Position, timeoutMs: number): Promise<boolean> {
    const all = await Promise.all(
      [...this.#followers.values()].map((follower) => follower.reached(position, timeoutMs)),
    );
    return all.every(Boolean);
  }
}
