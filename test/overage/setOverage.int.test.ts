import { Account } from '../../src/accounts/types.js';
import { PostgresEventStore } from '../../src/adapters/postgres/eventStore.js';
import { CommandHandler } from '../../src/eventsourcing/commandHandler.js';
import { fold } from '../../src/eventsourcing/decider.js';
import { PositionTokens } from '../../src/eventsourcing/positionToken.js';
import { CommandSender } from '../../src/graphql/kit/command.js';
import type { RequestContext } from '../../src/graphql/kit/context.js';
import { Outage } from '../../src/outage.js';
import { overageDecider } from '../../src/overage/decide.js';
import { overageStream } from '../../src/overage/events.js';
import type { OverageResolverOptions } from '../../src/overage/resolvers.js';
import { AccountOverageResolver, OverageResolver } from '../../src/overage/resolvers.js';
import { freshSql } from '../support/database.js';

it('answers a command that was sent before, though the ledger is behind', async () => {
  const database = await freshSql();
  try {
    const commands = new CommandHandler(await PostgresEventStore.open(database.sql));
    let behind = false;
    const seen: string[] = [];
    const accountOf = async (accountId: string) => ({
      accountId,
      lives: [],
      state: fold(overageDecider, await commands.load(overageStream(accountId))),
    });
    const options = {
      sender: new CommandSender(commands, new PositionTokens('store')),
      statements: {
        account: accountOf,
        usedSoFar: () => Promise.resolve([]),
        draft: () => {
          seen.push('read');
          return Promise.resolve(undefined);
        },
      },
      credits: () => Promise.resolve(() => 0),
      profile: () => ({ plans: [{ overage: [{ currency: 'usd' }] }] }),
      now: () => 0,
      caughtUp: () => (behind ? Promise.reject(new Outage('the ledger is behind')) : Promise.resolve()),
      counted: async () => {
        await Promise.resolve();
        seen.push('waited');
      },
    } as unknown as OverageResolverOptions;
    const resolver = new OverageResolver(options);
    const context = {
      caller: { kind: 'session', accountId: 'a', session: { userId: 'u' } },
      correlationId: 'c',
      now: 0,
    } as unknown as RequestContext;
    const input = { allowed: true, spendCap: null, commandId: 'first' };
    expect(await resolver.setOverage(context, input)).toMatchObject({ replayed: false });
    behind = true;
    expect(await resolver.setOverage(context, input)).toMatchObject({
      replayed: true,
      overage: { allowed: true },
    });
    expect(await resolver.setOverage(context, { ...input, allowed: false })).toMatchObject({
      code: 'COMMAND_ID_REUSED',
    });
    // A new one waits, since what was used before must not be billed.
    await expect(resolver.setOverage(context, { ...input, commandId: 'second' })).rejects.toThrow(Outage);
    // Who only looks gets what is there, once it had the time to come.
    seen.length = 0;
    expect(await new AccountOverageResolver(options).overage(new Account('a'))).toMatchObject({
      allowed: true,
    });
    expect(seen).toEqual(['waited', 'read']);
  } finally {
    await database.remove();
  }
});
