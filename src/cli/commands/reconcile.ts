import type { Reconciled } from '../../billing/reconcile.js';
import { Refused } from '../client.js';
import type { CliCommand } from '../command.js';
import { UsageError } from '../command.js';
import { table } from '../table.js';

export const reconcile: CliCommand = {
  name: 'reconcile',
  summary: 'compare accounts with Stripe, and repair what differs',
  help: `tollgraph reconcile [--account <id>] [--repair]

Asks Stripe for the subscriptions and invoices of every account that has a customer there, and lists
what differs from what is recorded here: mostly events whose webhooks have never come.
  --account  looks at this account only
  --repair   records what Stripe says, and does what was asked of Stripe and is not done. What is for
             people to decide, as an account that pays twice, stays listed.
The exit code is 1 where something is left that differs.`,
  options: { account: { type: 'string' }, repair: { type: 'boolean' } },
  run: async ({ positionals, values }, { ask, print }) => {
    if (positionals.length > 0) throw new UsageError('reconcile takes no arguments');
    const { account } = values;
    const repair = values['repair'] === true;
    const { accounts, differences } = await ask<Reconciled>('reconcile', {
      repair,
      ...(typeof account === 'string' && { account }),
    });
    const compared = accounts === 1 ? '1 account was compared' : `${accounts} accounts were compared`;
    if (differences.length === 0) return print(`${compared}: nothing differs.`);
    print(
      table(
        ['account', 'differs in', 'about', ''],
        differences.map(({ accountId, what, detail, mended }) => [
          accountId,
          what,
          detail,
          outcome(mended, repair),
        ]),
      ),
    );
    const left = differences.filter(({ mended }) => !(mended && repair)).length;
    if (left === 0) return print(`${compared}: all that differed is repaired.`);
    const advice =
      differences.some(({ mended }) => mended) && !repair ? ' --repair records what Stripe says.' : '';
    const what = left === 1 ? '1 difference is' : `${left} differences are`;
    throw new Refused(`${compared}; ${what} left.${advice}`);
  },
};

function outcome(mended: boolean, repair: boolean): string {
  if (!mended) return 'for people to decide';
  return repair ? 'repaired' : '';
}
