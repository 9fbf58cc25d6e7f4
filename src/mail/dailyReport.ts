import type { CommandHandler } from '../eventsourcing/commandHandler.js';
import { derivedId } from '../eventsourcing/ids.js';
import { byPolicy } from '../eventsourcing/policy.js';
import { moneyText } from '../money/money.js';
import { OPERATORS_STREAM } from '../operators/events.js';
import { mailDecider } from './decide.js';
import { mailStream } from './events.js';
import { emailOf, operatorsSince } from './recipient.js';
import type { ReportedDay, ReportTime } from './reportTime.js';
import { daysDue } from './reportTime.js';

/** How long a report that cannot be sent is tried again, in milliseconds. */
const WORTH_MS = 7 * 86_400_000;

/** What was earned in one currency; amounts are minor units. */
export interface DayRevenue {
  readonly currency: string;
  readonly invoiced: number;
  readonly oneTime: number;
  readonly refunds: number;
}

/** The figures of a day, for operators. */
export interface DayFigures {
  /** At its end, by plan, the most first. */
  readonly plans: readonly { readonly plan: string; readonly accounts: number }[];
  readonly opened: number;
  readonly deleted: number;
  /** Live calls and reported uses, those below among them. */
  readonly calls: bigint;
  readonly refused: bigint;
  /** Internal errors and time-outs. */
  readonly errors: bigint;
  readonly revenue: readonly DayRevenue[];
}

/** What the mail says of a day, a paragraph each. Nothing in it was written by a customer. */
export function reportOf(day: string, { timeZone }: ReportTime, figures: DayFigures): string[] {
  const { plans, opened, deleted, calls, refused, errors, revenue } = figures;
  const accounts = plans.reduce((sum, plan) => sum + plan.accounts, 0);
  const byPlan = plans.map((plan) => `${plan.plan} ${plan.accounts}`).join(', ');
  const earned = revenue.filter(
    ({ invoiced, oneTime, refunds }) => invoiced > 0 || oneTime > 0 || refunds > 0,
  );
  return [
    `The figures of ${day} (${timeZone}):`,
    `New accounts: ${opened}. Deleted: ${deleted}. There are ${accounts} now${byPlan && `: ${byPlan}`}.`,
    calls === 0n
      ? 'Nobody called.'
      : `Calls: ${calls}. Refused by a limit: ${refused}. Failed, by an internal error or a time-out: ${errors}.`,
    ...(earned.length === 0 ? ['Nothing was invoiced.'] : earned.map(revenueOf)),
  ];
}

function revenueOf({ currency, invoiced, oneTime, refunds }: DayRevenue): string {
  const text = (amount: number): string => moneyText({ amount, currency });
  return `Invoiced: ${text(invoiced)}. Paid once, for credits or analyses: ${text(oneTime)}. Paid back of that: ${text(refunds)}.`;
}

/**
 * Asks for the reports that are due: one mail for each operator and day, however often and in however many processes
 * it is asked for. Whoever became an operator after a report was due gets none of that day.
 */
export class DailyReports {
  /** Those that are known to be asked for. */
  readonly #asked = new Set<string>();

  constructor(
    private readonly commands: CommandHandler,
    private readonly time: ReportTime,
  ) {}

  /** @param now milliseconds since the epoch */
  async ask(now: number): Promise<void> {
    const days = daysDue(this.time, now);
    const operators = operatorsSince(await this.commands.load(OPERATORS_STREAM));
    for (const [userId, since] of operators) {
      for (const day of days) if (since <= day.due) await this.#request(userId, day, now);
    }
  }

  async #request(userId: string, { day }: ReportedDay, now: number): Promise<void> {
    const id = derivedId('daily-report', day, userId);
    if (this.#asked.has(id)) return;
    const to = await emailOf(this.commands, userId);
    if (to === undefined) return;
    const expiresAt = new Date(now + WORTH_MS).toISOString();
    const mail = { kind: 'daily-report', userId, subject: day, to, expiresAt } as const;
    await this.commands.handle(
      mailDecider,
      mailStream(id),
      { type: 'RequestMail', mail },
      byPolicy('daily-reports', id, { at: now, about: id }),
    );
    this.#asked.add(id);
  }
}
