import type { Sql } from '../sql/sql.js';
import { tableExists } from '../sql/sql.js';
import type { Position } from '../eventsourcing/event.js';
import type { Policy } from '../eventsourcing/policy.js';
import type { Policies } from './policyRunner.js';
import type { EventReader } from './reader.js';
import { RemoteFollowers } from './remoteFollowers.js';

/** Policies that another process runs. */
export class FollowedPolicies implements Policies {
  private constructor(
    private readonly names: readonly string[],
    private readonly followers: RemoteFollowers,
  ) {}

  static async open(
    sql: Sql,
    reader: EventReader,
    policies: readonly Pick<Policy, 'name' | 'handles'>[],
    onMoved: (listener: () => void) => () => void,
    onError: (error: unknown) => void,
  ): Promise<FollowedPolicies> {
    let made = false;
    const followers = await RemoteFollowers.open({
      reader,
      handles: new Map(policies.map(({ name, handles }) => [name, handles])),
      load: async () => {
        // The first projector makes the table.
        made ||= await tableExists(sql, 'read.policies');
        if (!made) return new Map();
        const rows = await sql.query<{ name: string; checkpoint: Position }>(
          'SELECT name, checkpoint FROM read.policies',
        );
        return new Map(rows.map(({ name, checkpoint }) => [name, checkpoint]));
      },
      onMoved,
      onError,
    });
    return new FollowedPolicies(
      policies.map(({ name }) => name),
      followers,
    );
  }

  stop(): Promise<void> {
    return this.followers.stop();
  }

  async reached(position: Position, timeoutMs: number): Promise<boolean> {
    const all = await Promise.all(
      this.names.map((name) => this.followers.reached(name, position, timeoutMs)),
    );
    return all.every(Boolean);
  }
}
