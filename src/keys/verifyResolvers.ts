import { isIP } from 'node:net';
import { Arg, Ctx, Resolver } from 'type-graphql';
import { Command } from '../graphql/kit/command.js';
import { MEMBERS } from '../graphql/kit/access.js';
import type { RequestContext } from '../graphql/kit/context.js';
import { commandIdOf } from '../eventsourcing/commandId.js';
import { actorOf } from '../graphql/kit/context.js';
import { badCommandId, InvalidInput } from '../graphql/kit/refusals.js';
import { reservationId } from '../usage/events.js';
import type { TextRule } from '../text/text.js';
import { textProblem, tidy } from '../text/text.js';
import type { KeyEnvironment, KeyScope } from './types.js';
import type { Meter } from '../plans/meters.js';
import type { Plan } from '../plans/planTypes.js';
import { amountOf, isLimitable, MAX_USE_AMOUNT, quantityOf } from '../plans/meters.js';
import type { Use } from '../usage/events.js';
import type { VerifyKey } from './verify.js';
import type { MeterQuantityInput } from '../usage/limits/limitTypes.js';
import type { SpendInput } from './verifyTypes.js';
import { LABEL, MAX_QUANTITIES, VerifyKeyPayload, VerifyKeyInput, VerifyKeyResult } from './verifyTypes.js';

@Resolver()
export class VerifyKeyResolver {
  constructor(
    private readonly verify: VerifyKey,
    private readonly planOf: (accountId: string) => Plan,
    private readonly meters: () => readonly Meter[],
  ) {}

  @Command(() => VerifyKeyResult, {
    access: { scope: 'admin', roles: MEMBERS, operator: true },
    metering: 'service',
    description:
      'Checks a key that a customer has sent to your back end: whether it is valid, whose it is, and what is left of its limits. With `spend` the use is charged in the same call and stored before the answer. For operators.',
  })
  async verifyKey(
    @Ctx() context: RequestContext,
    @Arg('input', () => VerifyKeyInput, { description: 'Input for `verifyKey`.' })
    input: VerifyKeyInput,
  ): Promise<typeof VerifyKeyResult> {
    const { secret = null, address = null, environment, scopes, commandId: given } = input;
    const badDemo = wrongDemo(input);
    if (badDemo) return badDemo;
    const commandId = commandIdOf(given);
    if (commandId === undefined) return badCommandId();
    const spend = input.spend && tidied(input.spend);
    const wrong = spend && wrongSpend(spend);
    if (wrong) return wrong;
    const quantities = amountsOf(spend?.quantities ?? [], this.meters());
    if (quantities instanceof InvalidInput) return quantities;
    const spending = spend
      ? {
          quantities,
          endpoint: spend.endpoint,
          method: spend.method,
          operation: spend.operation ?? null,
          source: spend.source ?? null,
          subject: spend.subject ?? undefined,
          reserve: spend.reserve,
          useId:
            spend.reserve || given != null || spend.subject != null
              ? reservationId(actorOf(context), commandId)
              : undefined,
          named: given != null,
        }
      : null;
    const asked = { secret, address, environment: environment ?? null, scopes, spending };
    const verdict = await this.verify.execute(asked, context.usageTime);
    if (verdict === 'reused') return new InvalidInput(REUSED, 'commandId', 'COMMAND_ID_REUSED');
    const { key, demo, code, retryAfterMs, limits, headers, useId, reservation } = verdict;
    return Object.assign(new VerifyKeyPayload(), {
      valid: code === null,
      code: code ?? 'VALID',
      retryAfterSeconds: retryAfterMs === undefined ? null : Math.ceil(retryAfterMs / 1000),
      demo: demo && key !== null,
      keyId: demo ? null : (key?.id ?? null),
      accountId: demo ? null : (key?.accountId ?? null),
      environment: (key?.environment ?? null) as KeyEnvironment | null,
      scopes: (key?.scopes ?? []) as readonly KeyScope[],
      expiresAt: key?.expiresAt == null ? null : new Date(key.expiresAt),
      plan: key && this.planOf(key.accountId),
      limits,
      headers: headers.map(([name, value]) => ({ name, value })),
      useId,
      reservation,
    });
  }
}

const REUSED = 'This commandId was used before with another content. Send a new commandId.';

/** Who has sent no key is known by the address alone: what has to be found again needs more. */
function wrongDemo({ secret, address, spend, commandId }: VerifyKeyInput): InvalidInput | undefined {
  if (secret != null) return undefined;
  if (address != null && isIP(address) === 0) {
    return new InvalidInput('"address" must be an IP address, such as 203.0.113.7.', 'address');
  }
  const what = 'Without a key, a call can be charged, and nothing reserved or repeated.';
  if (spend?.reserve) return new InvalidInput(what, 'spend.reserve');
  if (commandId != null) return new InvalidInput(what, 'commandId');
  if (spend?.subject != null) {
    return new InvalidInput('Without a key, nobody’s end customers can be named.', 'spend.subject');
  }
  return undefined;
}

/** Whatever is no meter of the service is charged as nothing else. */
function amountsOf(
  given: readonly MeterQuantityInput[],
  meters: readonly Meter[],
): Use['meters'] | InvalidInput {
  const refused = (message: string): InvalidInput => new InvalidInput(message, 'spend.quantities');
  if (given.length > MAX_QUANTITIES) return refused(`There may be at most ${MAX_QUANTITIES} quantities.`);
  const amounts: Record<string, number> = Object.create(null) as Record<string, number>;
  for (const { meter: id, quantity } of given) {
    const meter = meters.find((one) => one.id === id);
    if (!meter || !isLimitable(meter)) {
      const all = meters.filter(isLimitable).map((one) => one.id);
      return refused(`There is no meter of this name to spend from. There are: ${all.join(', ')}.`);
    }
    if (id in amounts) return refused(`There are two quantities of ${id}.`);
    const amount = amountOf(quantity, meter);
    if (amount === undefined) {
      return refused(
        `A quantity of ${id} may have at most ${meter.decimals} decimals, and be at most ${quantityOf(MAX_USE_AMOUNT, meter.decimals)}.`,
      );
    }
    amounts[id] = amount;
  }
  return amounts;
}

/** The record is kept for ever: what goes into it is bounded. */
function wrongSpend({ endpoint, method, operation, source, subject }: SpendInput): InvalidInput | undefined {
  if (!METHOD.test(method)) {
    return new InvalidInput('"method" must be an HTTP method in capitals.', 'spend.method');
  }
  return (
    wrongLabel('endpoint', endpoint, NAMED) ??
    wrongLabel('operation', operation, LABEL) ??
    wrongLabel('source', source, LABEL) ??
    wrongLabel('subject', subject, NAMED)
  );
}

const METHOD = /^[A-Z]{1,20}$/;
const NAMED = { ...LABEL, min: 1 };

function wrongLabel(name: string, text: string | null | undefined, rule: TextRule): InvalidInput | undefined {
  const problem = text == null ? undefined : textProblem(name, text, rule);
  return problem === undefined ? undefined : new InvalidInput(problem, `spend.${name}`);
}

/** Reports add up what has the same labels. */
const tidied = (spend: SpendInput): SpendInput => {
  const { quantities, endpoint, method, operation, source, subject, reserve } = spend;
  return {
    quantities,
    endpoint: tidy(endpoint),
    method,
    operation: operation == null ? null : tidy(operation),
    source: source == null ? null : tidy(source),
    subject: subject == null ? null : tidy(subject),
    reserve,
  };
};
