import type { CommandContext } from '../../eventsourcing/commandHandler.js';
import { contentHash } from '../../eventsourcing/ids.js';
import type { AddressHashes } from '../../usage/addresses.js';
import { textProblem, tidy } from '../../text/text.js';
import { periodOf } from '../../usage/limits/periods.js';
import { senderOf } from './command.js';
import type { RequestContext } from './context.js';
import { actorOf } from './context.js';
import { badCommandId, InvalidInput } from './refusals.js';

const REASON = { min: 1, max: 500, lines: true };

/** What every action of an operator is given. */
interface Given {
  readonly reason: string;
  readonly commandId?: string | null | undefined;
}

/** Who asks, why and from where, for the events of an operator's command; or what is wrong with the input. */
export type OperatorAction = (
  context: RequestContext,
  input: Given,
  name: string,
) => (CommandContext & { readonly reason: string }) | InvalidInput;

/** `operator:<user id>`, or `operator:key:<key id>` for a key that acts for one. */
function operatorOf(context: RequestContext): string {
  return `operator:${actorOf(context).replace(/^user:/, '')}`;
}

export function operatorAction(addresses: AddressHashes): OperatorAction {
  return (context, { commandId: given, ...input }, name) => {
    const reason = tidy(input.reason);
    const problem = textProblem('reason', reason, REASON);
    if (problem !== undefined) return new InvalidInput(problem, 'reason');
    const request = contentHash(JSON.stringify([name, input]));
    const sender = senderOf(context, { commandId: given });
    if (!sender) return badCommandId();
    const address = addresses.of(context.address, periodOf('month', context.now));
    return {
      ...sender,
      caller: operatorOf(context),
      requestHash: request,
      reason,
      ...(address !== null && { address }),
    };
  };
}
