import { randomUUID } from 'node:crypto';
import type { Clocks } from '../clock.js';
import type { CommandHandler } from '../eventsourcing/commandHandler.js';
import { subscriptionDecider } from './decide.js';
import { subscriptionStream } from './events.js';

const BATCH = 100;

/**
 * Ends plans that were granted for a time that is over: limits know by their own clock, and the event tells
 * everybody else.
 * @param over accounts with such a plan; one that has been ended since is no harm
 * @returns how many there were
 */
export async function endGrants(
  commands: CommandHandler,
  over: (at: Date, limit: number) => Promise<readonly string[]>,
  { clock, billingClock }: Clocks,
): Promise<number> {
  const at = new Date(billingClock());
  const accounts = await over(at, BATCH);
  for (const accountId of accounts) {
    const id = randomUUID();
    await commands.handle(
      subscriptionDecider,
      subscriptionStream(accountId),
      { type: 'EndGrant', at },
      {
        commandId: id,
        caller: 'policy:end-grants',
        requestHash: 'end-grant',
        at: new Date(clock()),
        environment: 'live',
        correlationId: id,
      },
    );
  }
  return accounts.length;
}
