import { Arg, Ctx, Resolver } from 'type-graphql';
import { commandIdOf } from '../../eventsourcing/commandId.js';
import type { PositionTokens } from '../../eventsourcing/positionToken.js';
import { inReach, MANAGERS } from '../../graphql/kit/access.js';
import { Command } from '../../graphql/kit/command.js';
import type { RequestContext, StandingIn } from '../../graphql/kit/context.js';
import { actorOf, standingOf } from '../../graphql/kit/context.js';
import type { FindNodes } from '../../graphql/kit/node.js';
import { badCommandId, InvalidInput, LimitReached, refusalOf } from '../../graphql/kit/refusals.js';
import type { Meter } from '../../plans/meters.js';
import type { UsageTerms } from '../../plans/profile.js';
import { textProblem, tidy } from '../../text/text.js';
import { ownReservationId, reservationId } from '../events.js';
import { statusOf } from '../limits/limitTypes.js';
import type { UsagePayers } from '../reports/payers.js';
import { reporterOf } from '../reports/reportResolvers.js';
import { durationIn, LABEL } from '../reports/reportedUse.js';
import { amountsIn, MAX_RESERVED_SECONDS, sentenceOf } from './reservedAmounts.js';
import type { Ended, Reservations } from './reservations.js';
import {
  EndReservationPayload,
  ReleaseReservationInput,
  ReleaseReservationResult,
  reservationOf,
  ReserveUsageInput,
  ReserveUsagePayload,
  ReserveUsageResult,
  SettleReservationInput,
  SettleReservationResult,
} from './reservationTypes.js';

const ACCESS = { scope: 'admin', roles: MANAGERS } as const;

@Resolver()
export class ReservationsResolver {
  constructor(
    private readonly reservations: Reservations,
    private readonly payers: UsagePayers,
    private readonly meters: () => readonly Meter[],
    private readonly terms: () => UsageTerms,
    private readonly positions: PositionTokens,
  ) {}

  @Command(() => ReserveUsageResult, {
    access: ACCESS,
    metering: 'service',
    description:
      'Takes amounts from limits before the work is done: from all limits, or from none. Stored before the answer. Settle or release it afterwards; otherwise it expires. Operators may reserve for every account, others for their own.',
  })
  async reserveUsage(
    @Ctx() context: RequestContext,
    @Arg('input', () => ReserveUsageInput, { description: 'Input for `reserveUsage`.' })
    {
      keyId,
      accountId,
      quantities,
      endpoint,
      subject,
      expiresInSeconds,
      commandId: given,
    }: ReserveUsageInput,
  ): Promise<typeof ReserveUsageResult> {
    const commandId = commandIdOf(given);
    if (commandId === undefined) return badCommandId();
    const measured = amountsIn(quantities, this.meters());
    if ('code' in measured) return new InvalidInput(measured.message, measured.field ?? null);
    if (quantities.length === 0) return new InvalidInput('Send at least one quantity.', 'quantities');
    const path = tidy(endpoint);
    const problem = textProblem('endpoint', path, LABEL);
    if (problem !== undefined) return new InvalidInput(problem, 'endpoint');
    const named = subject == null ? undefined : tidy(subject);
    const badName = named === undefined ? undefined : textProblem('subject', named, LABEL);
    if (badName !== undefined) return new InvalidInput(badName, 'subject');
    const terms = this.terms();
    const seconds = expiresInSeconds ?? terms.reservationSeconds;
    if (seconds < 1 || seconds > MAX_RESERVED_SECONDS) {
      return new InvalidInput(`"expiresInSeconds" must be 1 to ${MAX_RESERVED_SECONDS}.`, 'expiresInSeconds');
    }
    if (keyId == null && accountId == null) {
      return new InvalidInput('Send "keyId" or "accountId".', 'keyId');
    }
    const payees = [{ keyId: keyId ?? undefined, accountId: accountId ?? undefined }];
    const reporter = reporterOf(context);
    const [payer] = await this.payers.of(reporter, payees);
    if (!payer || 'code' in payer) return refusalOf(payer ?? NOBODY, 'NotFound');
    const reserved = await this.reservations.reserve(
      {
        id: (reporter.operator ? reservationId : ownReservationId)(actorOf(context), commandId),
        named: given != null,
        payer,
        amounts: measured.amounts,
        work: { endpoint: path, method: '', operation: null, source: null },
        terms: { expiresAt: context.usageTime + seconds * 1000, onExpiry: terms.onExpiry },
        subject: named,
      },
      context.usageTime,
    );
    if (reserved.kind === 'invalid')
      return new InvalidInput(reserved.refusal.message, 'commandId', reserved.refusal.code);
    if (reserved.kind === 'refused') return new LimitReached(reserved.code, sentenceOf(reserved));
    const { reservation, replayed, states } = reserved;
    return Object.assign(new ReserveUsagePayload(), {
      reservation: reservationOf(reservation, this.meters()),
      limits: states.map((state) => statusOf(state, this.meters())),
      replayed,
      position: this.positions.encode(reservation.position),
    });
  }

  @Command(() => SettleReservationResult, {
    access: ACCESS,
    metering: 'service',
    description:
      'Ends a reservation with the real amounts. Operators may end every reservation, others those that their own account has made. What was reserved too much is given back; more than reserved is charged, and no limit refuses it. A retry changes nothing and returns the same result.',
  })
  async settleReservation(
    @Ctx() context: RequestContext,
    @Arg('input', () => SettleReservationInput, { description: 'Input for `settleReservation`.' })
    { reservationId: id, quantities, durationMs, commandId }: SettleReservationInput,
  ): Promise<typeof SettleReservationResult> {
    if (commandIdOf(commandId) === undefined) return badCommandId();
    const measured = amountsIn(quantities, this.meters());
    if ('code' in measured) return new InvalidInput(measured.message, measured.field ?? null);
    const durationUs = durationIn(durationMs);
    if (typeof durationUs === 'object') return new InvalidInput(durationUs.message, 'durationMs');
    const { amounts } = measured;
    return this.#ended(
      await this.reservations.settle(reporterOf(context), id, amounts, context.usageTime, durationUs),
    );
  }

  @Command(() => ReleaseReservationResult, {
    access: ACCESS,
    metering: 'service',
    description:
      'Ends a reservation and gives everything back. Operators may end every reservation, others those that their own account has made. A retry changes nothing and returns the same result.',
  })
  async releaseReservation(
    @Ctx() context: RequestContext,
    @Arg('input', () => ReleaseReservationInput, { description: 'Input for `releaseReservation`.' })
    { reservationId: id, commandId }: ReleaseReservationInput,
  ): Promise<typeof ReleaseReservationResult> {
    if (commandIdOf(commandId) === undefined) return badCommandId();
    return this.#ended(await this.reservations.release(reporterOf(context), id, context.usageTime));
  }

  #ended(ended: Ended): typeof SettleReservationResult {
    if (ended.kind === 'invalid') return refusalOf(ended.refusal, 'NotFound', 'Conflict');
    const { reservation, replayed } = ended;
    return Object.assign(new EndReservationPayload(), {
      reservation: reservationOf(reservation, this.meters()),
      replayed,
      position: this.positions.encode(reservation.position),
    });
  }
}

/** Found in the account of each, whoever has made them, by those who may reserve there; and by operators. */
export const reservationNodes =
  (reservations: Reservations, standingIn: StandingIn, meters: () => readonly Meter[]): FindNodes =>
  async (ids, context) => {
    const { operator } = reporterOf(context);
    const standing = async ({ accountId }: { readonly accountId: string }) =>
      operator ? standingOf(context) : standingIn(context, accountId);
    const seen = await inReach(await reservations.find(ids), standing, ACCESS);
    return seen.map((one) => reservationOf(one, meters()));
  };

const NOBODY = { code: 'NOT_FOUND', message: 'There is no account with this id.' };
