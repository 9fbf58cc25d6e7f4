import { z } from 'zod';
import type { UsageQueries } from '../../projections/usage/queries.js';
import type { Position } from '../eventsourcing/event.js';
import { ApiError } from '../graphql/kit/errors.js';
import type { AccessRule } from '../graphql/kit/access.js';
import { MANAGERS, MEMBERS } from '../graphql/kit/access.js';
import type { IdType } from '../graphql/kit/ids.js';
import { givenId } from '../graphql/kit/ids.js';
import type { SubjectIds } from './reports/subjectIds.js';
import type { CorrectUsageResolver } from './reports/reversalResolvers.js';
import type { Caller, DemoCaller, RequestContext } from '../graphql/kit/context.js';
import { metersOf } from '../plans/profile.js';
import type { Profile } from '../plans/profile.js';
import { commandRoute, onlyParameters, parameter } from '../rest/commandRoute.js';
import { shownIds } from '../rest/shownIds.js';
import { Quantities, ShownLimit, ShownQuantity, ShownReservation } from '../rest/shapes.js';
import type { Reply, Route, RouteCall } from '../rest/route.js';
import type { LimitStates } from './limits/limitStates.js';
import { statusOf, totalsOf } from './limits/limitTypes.js';
import type { Payer } from './reports/reportedUse.js';
import { MAX_USES } from './reports/reportedUse.js';
import type { UsagePayers } from './reports/payers.js';
import { dayOf } from '../text/time.js';
import { periodOf } from './limits/periods.js';
import type { RecordUsageResolver } from './reports/reportResolvers.js';
import { reporterOf } from './reports/reportResolvers.js';
import type { ReservationsResolver } from './reservations/reservationResolvers.js';
import { MAX_RESERVED_SECONDS } from './reservations/reservedAmounts.js';

/** 1,000 uses with all that they may have, most of them far smaller. */
const USES_BYTES = 4 * 1024 * 1024;
/** How long an answer waits for the ledger to have seen the newest uses, in milliseconds. */
const LEDGER_WAIT_MS = 1_000;

const MANAGED: AccessRule = { scope: 'admin', roles: MANAGERS };

/** An operator's back end has a key of the scope admin; whoever asks for its own account reads. */
export const READ = (caller: Caller | DemoCaller): AccessRule =>
  caller.kind === 'key' && caller.operator && !caller.key.scopes.includes('read')
    ? { scope: 'admin' }
    : { scope: 'read', roles: MEMBERS };

const Ended = z.object({ reservation: ShownReservation, replayed: z.boolean(), position: z.string() });

/** Of a use each field is judged by itself; what is no object at all has none, and takes no other use with it. */
const Uses = z.strictObject({
  uses: z.array(z.record(z.string(), z.unknown()).catch({})).min(1).max(MAX_USES),
});

const WHOSE = 'The account; by default that of the caller. Others than their own only operators may ask for.';
const USAGE_QUERY = {
  accountId: WHOSE,
  keyId: 'One key of it.',
  period: 'As `2026-11` or `2026-11-29`; by default the present month.',
};
const QUOTA_QUERY = {
  accountId: WHOSE,
  keyId: 'A key of it, whose own limits then stand behind those of the plan.',
  subject: 'An end customer of it, as the back end names them, whose own limits then stand behind those.',
};

export interface UsageRoutes {
  readonly recording: RecordUsageResolver;
  readonly correcting: CorrectUsageResolver;
  readonly reserving: ReservationsResolver;
  readonly usage: UsageQueries;
  readonly limitStates: LimitStates;
  readonly payers: UsagePayers;
  readonly subjectIds: Pick<SubjectIds, 'idOf'>;
  readonly profile: () => Profile;
  readonly planOf: (accountId: string) => { readonly plan: { readonly id: string } };
  /** Position of the newest event that this process has stored. */
  readonly stored: () => Position;
  readonly ledgerReached: (position: Position, timeoutMs: number) => Promise<boolean>;
}

/** What back ends without a GraphQL client report, reserve and look up: the same rules and refusals. */
export function usageRoutes(options: UsageRoutes): Route[] {
  const { recording, correcting, reserving } = options;
  return [
    commandRoute(
      '/v1/usage',
      {
        access: MANAGED,
        summary: 'Records what customers have used: 1 to 1,000 uses, each accepted or rejected by itself.',
        body: Uses,
        answer: z.object({
          results: z.array(
            z.object({
              useId: z.string().nullable(),
              status: z.enum(['ACCEPTED', 'PROVISIONAL', 'LATE', 'OVER_LIMIT', 'DUPLICATE', 'REJECTED']),
              late: z.boolean(),
              refusal: z.object({ code: z.string(), message: z.string() }).nullable(),
            }),
          ),
          replayed: z.boolean(),
          position: z.string(),
        }),
        bodyLimit: USES_BYTES,
      },
      (context, input) => recording.recordUsage(context as RequestContext, input),
    ),
    commandRoute(
      '/v1/usage/corrections',
      {
        access: { scope: 'admin', roles: MEMBERS, operator: true },
        summary: 'Takes back a use that should not have been recorded. For operators.',
        body: z.strictObject({
          useId: z.string(),
          accountId: z.string().max(128),
          reason: z.string(),
        }),
        answer: z.object({
          useId: z.string(),
          accountId: z.string(),
          reversed: z.array(ShownQuantity),
          replayed: z.boolean(),
          position: z.string(),
        }),
      },
      (context, input) => correcting.correctUsage(context as RequestContext, input),
    ),
    commandRoute(
      '/v1/reservations',
      {
        access: MANAGED,
        summary: 'Takes from limits before the work, from all or none.',
        body: z.strictObject({
          keyId: z.string().max(128).optional(),
          accountId: z.string().max(128).optional(),
          quantities: Quantities,
          endpoint: z.string(),
          subject: z.string().optional(),
          expiresInSeconds: z.number().int().min(1).max(MAX_RESERVED_SECONDS).optional(),
        }),
        answer: z.object({
          reservation: ShownReservation,
          limits: z.array(ShownLimit),
          replayed: z.boolean(),
          position: z.string(),
        }),
      },
      (context, input) => reserving.reserveUsage(context as RequestContext, input),
    ),
    commandRoute(
      '/v1/reservations/:id/settle',
      {
        access: MANAGED,
        summary: 'Ends a reservation with what the work came to.',
        body: z.strictObject({
          quantities: Quantities.default([]),
          durationMs: z.number().min(0).optional(),
        }),
        answer: Ended,
      },
      (context, input, { params }) =>
        reserving.settleReservation(context as RequestContext, {
          ...input,
          reservationId: params['id'] ?? '',
        }),
    ),
    commandRoute(
      '/v1/reservations/:id/release',
      {
        access: MANAGED,
        summary: 'Ends a reservation and gives all of it back.',
        body: z.strictObject({}),
        answer: Ended,
      },
      (context, input, { params }) =>
        reserving.releaseReservation(context as RequestContext, {
          ...input,
          reservationId: params['id'] ?? '',
        }),
    ),
    {
      method: 'GET',
      path: '/v1/usage',
      metering: 'guarded',
      access: READ,
      cost: 0,
      problems: true,
      spec: {
        summary: 'What an account or key has used in a month or day of the calendar in UTC.',
        query: USAGE_QUERY,
        answer: z.object({
          accountId: z.string(),
          keyId: z.string().nullable(),
          period: z.string(),
          totals: z.array(ShownQuantity),
          stale: z.boolean(),
        }),
      },
      handle: (call) => usageOf(options, call),
    },
    {
      method: 'GET',
      path: '/v1/quota',
      metering: 'guarded',
      access: READ,
      cost: 0,
      problems: true,
      spec: {
        summary: 'The limits in force, and where they stand.',
        query: QUOTA_QUERY,
        answer: z.object({ accountId: z.string(), plan: z.string(), limits: z.array(ShownLimit) }),
      },
      handle: (call) => quotaOf(options, call),
    },
  ];
}

/** @throws ApiError NOT_FOUND for what is not the caller's */
export async function askedFor({ payers }: Pick<UsageRoutes, 'payers'>, call: RouteCall): Promise<Payer> {
  const reporter = reporterOf(call);
  const keyId = idOf('Key', parameter(call, 'keyId'));
  const named = idOf('Account', parameter(call, 'accountId'));
  const accountId = named ?? (keyId === undefined ? reporter.accountId : undefined);
  const [payer] = await payers.of(reporter, [{ keyId, accountId }], 'read');
  if (!payer || 'code' in payer) throw new ApiError('NOT_FOUND', payer?.message);
  return payer;
}

const idOf = (type: IdType, given: string | undefined): string | undefined =>
  given === undefined ? undefined : givenId(type, given);

const PERIOD = /^\d{4}-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?$/;

async function usageOf(options: UsageRoutes, call: RouteCall): Promise<Reply> {
  onlyParameters(call, Object.keys(USAGE_QUERY));
  const payer = await askedFor(options, call);
  const { accountId, environment, keyId } = payer;
  const period = parameter(call, 'period') ?? periodOf('month', call.usageTime).slice('month:'.length);
  if (!PERIOD.test(period) || (period.length > 7 && !dayOf(period))) {
    throw new ApiError('INVALID_INPUT', '"period" is a month as 2026-11 or a day as 2026-11-29.', {
      field: 'period',
    });
  }
  const fresh = await options.ledgerReached(options.stored(), LEDGER_WAIT_MS);
  const subject = { accountId, environment, keyId: keyId === '' ? undefined : keyId };
  const id = `${period.length === 7 ? 'month' : 'day'}:${period}`;
  const { totals } = await options.usage.totals(subject, id);
  const stale = !fresh || (await options.usage.waits(accountId));
  const shown = totalsOf(totals, metersOf(options.profile()));
  return { body: shownIds({ accountId, keyId: keyId === '' ? null : keyId, period, totals: shown, stale }) };
}

async function quotaOf(options: UsageRoutes, call: RouteCall): Promise<Reply> {
  onlyParameters(call, Object.keys(QUOTA_QUERY));
  const { accountId, environment, keyId } = await askedFor(options, call);
  const own = call.caller.kind === 'key' && call.caller.accountId === accountId ? call.caller.key : undefined;
  const key = keyId === '' ? own : { id: keyId, limits: options.payers.limitsOf(keyId) };
  const subject = parameter(call, 'subject');
  const customer = subject === undefined ? undefined : await options.subjectIds.idOf(accountId, subject);
  const states = await options.limitStates.of({ accountId, environment, now: call.usageTime, key }, customer);
  const meters = metersOf(options.profile());
  const limits = states.map((state) => statusOf(state, meters));
  return { body: shownIds({ accountId, plan: options.planOf(accountId).plan.id, limits }) };
}
