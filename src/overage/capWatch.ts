import type { CommandHandler } from '../eventsourcing/commandHandler.js';
import { byPolicy } from '../eventsourcing/policy.js';
import { capSet, isAllowed, overageDecider } from './decide.js';
import { overageStream } from './events.js';
import type { CreditsOf, Statements } from './statements.js';

export interface CapWatchOptions {
  readonly statements: Statements;
  readonly commands: CommandHandler;
  /** What credits have paid, without drawing more. */
  readonly credits: CreditsOf;
  readonly clock: () => number;
}

/** Tells once in a billing period that overage has come to an account's cap. */
export class CapWatch {
  constructor(private readonly options: CapWatchOptions) {}

  async look(accountId: string): Promise<void> {
    const { statements, commands, credits, clock } = this.options;
    const account = await statements.account(accountId);
    const { state } = account;
    const running = statements.running(account);
    const cap = capSet(state);
    if (!running || !cap || !isAllowed(state) || state.reached.has(running.period.id)) return;
    const { life, period, lines } = await statements.soFarOf(account, running, credits);
    const spent = lines.reduce((sum, { amount }) => sum + amount, 0);
    if (life.currency !== cap.currency || spent < cap.amount) return;
    await commands.handle(
      overageDecider,
      overageStream(accountId),
      { type: 'ReachCap', period: period.id, cap, spent },
      byPolicy('overage', `cap:${period.id}`, { at: clock(), about: accountId }),
    );
  }
}
