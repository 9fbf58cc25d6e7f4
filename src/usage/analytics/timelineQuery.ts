import type { Grouping, UsesAsked } from '../../../projections/usage/reports.js';
import { GROUPINGS, propertyOf } from '../../../projections/usage/reports.js';
import type { Environment } from '../../eventsourcing/event.js';
import { ApiError, invalidInput } from '../../graphql/kit/errors.js';
import { givenId } from '../../graphql/kit/ids.js';
import type { Logger } from '../../logger.js';
import type { Profile } from '../../plans/profile.js';
import { onlyParameters, parameter } from '../../rest/commandRoute.js';
import type { Route, RouteCall, RouteSpec } from '../../rest/route.js';
import { dayOf, timeOf } from '../../text/time.js';
import { isTimeZone } from '../../text/timeZone.js';
import type { Interval, TimelineAsked } from './analytics.js';
import { INTERVALS } from './analytics.js';
import type { UsageReading } from './analyticsResolvers.js';
import { groupingOf, whichOf } from './analyticsResolvers.js';
import type { Payer } from '../reports/reportedUse.js';
import { reporterOf } from '../reports/reportResolvers.js';
import type { UsageDimension } from '../types.js';
import { MAX, USE_STATUSES_SHOWN } from '../types.js';

/** Parameters of a timeline over HTTP. */
export const TIMELINE_QUERY: NonNullable<RouteSpec['query']> = {
  accountId: 'The account; by default that of the caller. Others than their own only operators may ask for.',
  allAccounts: '1: live usage of all accounts, whose end customers have no names here. For operators.',
  keyId: 'Usage of this key.',
  interval: 'quarter-hour, hour, day or month; by default day.',
  from: 'As 2026-11-29 or in RFC 3339; by default the beginning of the month in UTC, by the month a year ago, by the hour a day ago.',
  to: 'Exclusive; by default now.',
  timeZone: 'By whose clocks days and months begin, as Asia/Kolkata; by default UTC.',
  groupBy: `Up to three of ${GROUPINGS.join(', ')}, with commas between, and up to three properties that the service has named for reports, as property.model.`,
  planId: 'Usage under this plan.',
  property: 'Usage with this property, as model=small: of those that the service has named for reports.',
  operation: 'Usage of this operation.',
  field: 'Calls that asked for this root field of GraphQL, whatever else they asked for.',
  endpoint: 'Usage of this endpoint.',
  source: 'Usage of this data source.',
  subject: 'Usage by this end customer, as the back end names them.',
  status: 'ok, error, timeout or refused.',
  responseTimes: '1: with percentiles of the time of execution, in milliseconds, within 2 percent.',
};

export interface TimelineRoutes extends UsageReading {
  /** Whose usage is asked for. @throws ApiError NOT_FOUND for what is not the caller's */
  readonly askedFor: (call: RouteCall) => Promise<Payer>;
  readonly access: Route['access'];
  readonly log: Logger;
}

/** @throws ApiError INVALID_INPUT, NOT_FOUND */
export async function askedBy(
  options: TimelineRoutes,
  call: RouteCall,
): Promise<{ readonly asked: TimelineAsked; readonly withTimes: boolean }> {
  onlyParameters(call, Object.keys(TIMELINE_QUERY));
  const { accountId, environment } = await whoseUses(options, call);
  const interval = parameter(call, 'interval') ?? 'day';
  if (!Object.hasOwn(INTERVALS, interval)) {
    throw invalidInput('interval', `"interval" is one of ${Object.keys(INTERVALS).join(', ')}.`);
  }
  const timeZone = parameter(call, 'timeZone') ?? 'UTC';
  if (!isTimeZone(timeZone)) {
    throw invalidInput('timeZone', '"timeZone" is a name of the IANA database, like Asia/Kolkata.');
  }
  const status = parameter(call, 'status');
  if (status !== undefined && !USE_STATUSES_SHOWN.includes(status)) {
    throw invalidInput('status', `"status" is one of ${USE_STATUSES_SHOWN.join(', ')}.`);
  }
  const keyId = parameter(call, 'keyId');
  const filter = {
    planId: parameter(call, 'planId'),
    properties: propertiesIn(parameter(call, 'property')),
    keyId: keyId === undefined ? undefined : givenId('Key', keyId),
    operation: parameter(call, 'operation'),
    field: parameter(call, 'field'),
    endpoint: parameter(call, 'endpoint'),
    source: parameter(call, 'source'),
    subject: parameter(call, 'subject'),
    status,
  };
  const which = await whichOf(options, accountId ?? '', filter, 'property');
  const uses: UsesAsked = { account: accountId, environment, ...which };
  const [from, to] = [momentOf(call, 'from'), momentOf(call, 'to')];
  const groupBy = groupsOf(parameter(call, 'groupBy'), options.profile());
  return {
    withTimes: flag(call, 'responseTimes'),
    asked: { ...uses, from, to, interval: interval as Interval, timeZone, groupBy, first: MAX.points },
  };
}

/** @returns undefined for all accounts @throws ApiError OPERATOR_REQUIRED, INVALID_INPUT, NOT_FOUND */
async function whoseUses(
  { askedFor }: TimelineRoutes,
  call: RouteCall,
): Promise<{ readonly accountId: string | undefined; readonly environment: Environment }> {
  if (!flag(call, 'allAccounts')) return askedFor(call);
  if (!reporterOf(call).operator) throw new ApiError('OPERATOR_REQUIRED');
  if (parameter(call, 'accountId') !== undefined) {
    throw invalidInput('accountId', 'Leave "accountId" out, or "allAccounts".');
  }
  return { accountId: undefined, environment: 'live' };
}

/** Whether a parameter is 1. @throws ApiError INVALID_INPUT for all but 0 and 1 */
function flag(call: RouteCall, name: string): boolean {
  const given = parameter(call, name) ?? '0';
  if (given !== '0' && given !== '1') throw invalidInput(name, `"${name}" must be 0 or 1.`);
  return given === '1';
}

/** Dimensions, and properties behind `property.`. @throws ApiError INVALID_INPUT */
function groupsOf(given: string | undefined, profile: Profile): readonly Grouping[] {
  const names = given?.split(',') ?? [];
  const properties = names.flatMap((name) => propertyOf(name) ?? []);
  const groupBy = names.filter((name) => propertyOf(name) === undefined);
  if (!groupBy.every((name) => (GROUPINGS as readonly string[]).includes(name))) {
    throw invalidInput(
      'groupBy',
      `"groupBy" is up to three of ${GROUPINGS.join(', ')}, with commas between, and property.<name>.`,
    );
  }
  const asked = { groupBy: groupBy as UsageDimension[], groupByProperties: properties };
  return groupingOf(asked, profile, 0, 'groupBy');
}

/** @throws ApiError INVALID_INPUT */
function propertiesIn(given: string | undefined): { name: string; value: string }[] | undefined {
  if (given === undefined) return undefined;
  const end = given.indexOf('=');
  if (end < 1) throw invalidInput('property', '"property" is a name and a value, as model=small.');
  return [{ name: given.slice(0, end), value: given.slice(end + 1) }];
}

/** A day alone is its beginning in UTC. */
function momentOf(call: RouteCall, name: string): Date | undefined {
  const text = parameter(call, name);
  if (text === undefined) return undefined;
  const time = dayOf(text) ?? timeOf(text);
  if (!time) throw invalidInput(name, `"${name}" must be a time like 2026-11-23 or 2026-11-23T10:00:00Z.`);
  return time;
}
