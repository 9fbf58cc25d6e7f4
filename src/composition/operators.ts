import { verifiedHolder } from '../accounts/verifiedHolder.js';
import type { OperatorUser } from '../operators/decide.js';
import { operatorsDecider } from '../operators/decide.js';
import { OPERATORS_STREAM } from '../operators/events.js';
import type { Stores } from './stores.js';
import { SYSTEM } from './stores.js';

/** Those whom the configuration makes operators: they hold an e-mail that it names, verified. */
export async function configuredOperators({
  commands,
  personal,
  secrets,
  operatorEmails,
}: Pick<Stores, 'commands' | 'personal' | 'secrets' | 'operatorEmails'>): Promise<OperatorUser[]> {
  const holders: OperatorUser[] = [];
  for (const hash of operatorEmails) {
    const holder = await verifiedHolder(commands, personal, secrets.EMAIL_HASH_KEY, hash);
    if (holder) holders.push(holder);
  }
  return holders;
}

/** Makes the configuration's change of operators since the last start an event. */
export async function publishOperators(stores: Stores): Promise<void> {
  const users = await configuredOperators(stores);
  const now = stores.clock();
  await stores.commands.handle(
    operatorsDecider,
    OPERATORS_STREAM,
    { type: 'ConfigureOperators', users },
    {
      ...SYSTEM,
      at: new Date(now),
      requestHash: 'operators',
      // Every start is a command of its own; where nothing has changed it adds no event.
      commandId: `operators:${now}`,
    },
  );
}
