import type { Catalogue } from '../../admin/billing.js';
import type { CatalogueEntry } from '../../billing/payments.js';
import type { CliCommand } from '../command.js';
import { UsageError } from '../command.js';
import { table } from '../table.js';

export const stripeSync: CliCommand = {
  name: 'stripe:sync',
  summary: 'make the products and prices of the profile at Stripe',
  help: `tollgraph stripe:sync [--yes]

Compares the products and prices at Stripe with the profile, and says what is to be made. With --yes it
makes it; again it does nothing. A price that is there is never edited: where the profile says another
amount there is a new price, and those who pay the old one keep it. Prices that are missing are also made
by themselves when somebody first buys at them.`,
  options: { yes: { type: 'boolean' } },
  run: async ({ positionals, values }, { ask, print }) => {
    if (positionals.length > 0) throw new UsageError('stripe:sync takes no arguments');
    const apply = values['yes'] === true;
    const { entries, live } = await ask<Catalogue>('stripe sync', { apply });
    if (entries.length === 0) return print('The profile sells nothing by subscription.');
    print(
      table(
        ['', 'id', 'at Stripe', 'what', 'about'],
        entries.map((entry) => [
          entry.kind,
          entry.id,
          entry.existing ?? '–',
          WORDS[entry.state][apply ? 'done' : 'toDo'],
          entry.detail,
        ]),
      ),
    );
    const changes = entries.filter(({ state }) => state === 'missing' || state === 'outdated').length;
    if (changes === 0) return print('Nothing is to be made.');
    const where = live ? 'in live mode' : 'in test mode';
    print(apply ? `${changes} made ${where}.` : `${changes} to be made ${where}: --yes makes them.`);
  },
};

const WORDS: Readonly<Record<CatalogueEntry['state'], { readonly toDo: string; readonly done: string }>> = {
  current: { toDo: 'is there', done: 'is there' },
  missing: { toDo: 'to be made', done: 'made' },
  outdated: { toDo: 'a new price, the old one stays', done: 'a new price, the old one stays' },
  wrong: { toDo: 'is another price', done: 'is another price' },
  agreed: { toDo: 'agreed with one account', done: 'agreed with one account' },
  retired: { toDo: 'not sold any more, stays', done: 'not sold any more, stays' },
};
