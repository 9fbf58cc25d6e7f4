import type { CliArgs, CliCommand, CliContext } from '../command.js';
import { UsageError } from '../command.js';
import { table } from '../table.js';

interface DeliveryLine {
  readonly id: string;
  readonly type: string;
  readonly delivered: boolean;
  readonly attempts: readonly { at: number; status: number | null; problem: string | null }[];
}

export const sandbox: CliCommand = {
  name: 'sandbox',
  summary: 'move the clock of the stand-in for Stripe, and make it fail',
  help: `tollgraph sandbox [time]
tollgraph sandbox api
tollgraph sandbox advance <31d | 2h | 1mo | 1y | date>
tollgraph sandbox deliveries [--limit <n>]
tollgraph sandbox replay <delivery>
tollgraph sandbox decline [<code>] [--times <n>] [--customer <id>]
tollgraph sandbox deliver <fault> [--times <n>] [--type <event type>]
tollgraph sandbox fail [--status <500|503|429>] [--path <text>] [--after] [--times <n>]
tollgraph sandbox alter <minor units> [--times <n>]
tollgraph sandbox dispute <payment intent> [--inquiry | --outcome <won|lost>]
tollgraph sandbox clear

Without a key of Stripe's the sandbox takes payments (docs/sandbox.md).
  time        what time it is there
  api         the address and the key of its API, for tools such as the Stripe CLI
  advance     moves its time on: trials end, subscriptions renew, failed charges are tried again
  deliveries  the newest webhooks, with what became of them
  replay      sends one again
  decline     the next charges are declined: generic_decline, insufficient_funds, lost_card,
              stolen_card, expired_card, processing_error
  deliver     the next webhooks go wrong: duplicated, reordered, delayed, dropped, old_signature,
              wrong_signature
  fail        the next calls of its API fail; with --after once they were carried out
  alter       the next invoices bill so much more than they should, in minor units
  dispute     the customer of a payment goes to the bank, which takes the money back; with
              --inquiry the bank only asks at first; with --outcome it decides. Unanswered,
              a dispute is lost after seven days, an inquiry closed after 120
  clear       forgets the faults that were planned`,
  options: {
    limit: { type: 'string' },
    times: { type: 'string' },
    customer: { type: 'string' },
    type: { type: 'string' },
    status: { type: 'string' },
    path: { type: 'string' },
    after: { type: 'boolean' },
    inquiry: { type: 'boolean' },
    outcome: { type: 'string' },
  },
  run: async (args, context) => {
    const { positionals } = args;
    const [action = 'time', operand, ...more] = positionals;
    if (more.length > 0) throw new UsageError(`sandbox ${action} takes one argument`);
    const run = ACTIONS[action];
    if (!run) throw new UsageError(`sandbox knows no "${action}"`);
    await run(args, context, operand);
  },
};

type Action = (args: CliArgs, context: CliContext, operand: string | undefined) => Promise<void>;

const ACTIONS: Readonly<Record<string, Action>> = {
  api: async (_args, { ask, print }) => {
    const { base, key } = await ask<{ base: string; key: string }>('sandbox api', {});
    print(`--api-base ${base} --api-key ${key}`);
  },
  time: async (_args, { ask, print }) => print((await ask<{ now: string }>('sandbox time', {})).now),
  advance: async (_args, { ask, print }, to) => {
    if (to === undefined) throw new UsageError('sandbox advance takes a duration or a date');
    const { now } = await ask<{ now: string }>('sandbox advance', { to });
    print(`It is now ${now} in the sandbox.`);
  },
  deliveries: async ({ values }, { ask, print }) => {
    const lines = await ask<DeliveryLine[]>('sandbox deliveries', count(values, 'limit'));
    if (lines.length === 0) return print('Nothing was sent yet.');
    print(
      table(
        ['id', 'event', 'attempts', 'result'],
        lines.map(({ id, type, delivered, attempts }) => [
          id,
          type,
          `${attempts.length}`,
          delivered ? 'delivered' : (attempts.at(-1)?.problem ?? 'waiting'),
        ]),
      ),
    );
  },
  replay: async (_args, { ask, print }, id) => {
    if (id === undefined) throw new UsageError('sandbox replay takes the id of a delivery');
    await ask('sandbox replay', { id });
    print(`${id} was sent again.`);
  },
  decline: async ({ values }, context, decline) => {
    const { customer } = values;
    await plan(context, {
      kind: 'decline',
      ...(decline !== undefined && { decline }),
      ...(customer !== undefined && { customer }),
      ...count(values, 'times'),
    });
  },
  deliver: async ({ values }, context, fault) => {
    if (fault === undefined) throw new UsageError('sandbox deliver takes a fault');
    const { type } = values;
    await plan(context, {
      kind: 'deliver',
      fault,
      ...(type !== undefined && { type }),
      ...count(values, 'times'),
    });
  },
  fail: async ({ values }, context) => {
    const { path, after } = values;
    await plan(context, {
      kind: 'call',
      ...count(values, 'status'),
      ...(path !== undefined && { path }),
      after: after === true,
      ...count(values, 'times'),
    });
  },
  alter: async ({ values }, context, by) => {
    if (by === undefined || !/^\d{1,6}$/.test(by)) throw new UsageError('sandbox alter takes an amount');
    await plan(context, { kind: 'alter', by: Number(by), ...count(values, 'times') });
  },
  dispute: async ({ values: { inquiry, outcome } }, context, payment) => {
    if (payment === undefined) throw new UsageError('sandbox dispute takes the id of a payment intent');
    if (outcome !== undefined && outcome !== 'won' && outcome !== 'lost') {
      throw new UsageError('--outcome is won or lost');
    }
    if (inquiry === true && outcome !== undefined) throw new UsageError('--inquiry takes no --outcome');
    const what = inquiry === true ? 'inquiry' : outcome;
    await context.ask('sandbox fault', { kind: 'dispute', payment, ...(what && { what }) });
    if (outcome) return context.print(`The dispute was ${outcome}.`);
    context.print(`The bank ${inquiry ? 'asks about' : 'takes back'} the payment ${payment}.`);
  },
  clear: async (_args, { ask, print }) => {
    await ask('sandbox fault', { kind: 'clear' });
    print('No faults are planned.');
  },
};

async function plan({ ask, print }: CliContext, fault: object): Promise<void> {
  await ask('sandbox fault', fault);
  print('It is planned.');
}

function count(values: CliArgs['values'], name: string): Record<string, number> {
  const given = values[name];
  if (given === undefined) return {};
  if (typeof given !== 'string' || !/^\d{1,4}$/.test(given)) throw new UsageError(`--${name} takes a number`);
  return { [name]: Number(given) };
}
