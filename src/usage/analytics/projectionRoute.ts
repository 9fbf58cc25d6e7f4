import { z } from 'zod';
import { invalidInput } from '../../graphql/kit/errors.js';
import { onlyParameters, parameter } from '../../rest/commandRoute.js';
import { shownIds } from '../../rest/shownIds.js';
import type { Route, RouteCall } from '../../rest/route.js';
import { staleOf, whichOf } from './analyticsResolvers.js';
import { RESETTABLE } from '../events.js';
import { projectionOf } from './projectionResolvers.js';
import type { ProjectionReading } from './projectionResolvers.js';
import type { Payer } from '../reports/reportedUse.js';

const QUERY = {
  accountId: 'The account; by default that of the caller. Others than their own only operators may ask for.',
  keyId: 'Usage of this key.',
  window: `${RESETTABLE.join(', ')}; by default month, as limits over it count.`,
} as const;

export interface ProjectionRoute extends ProjectionReading {
  /** Whose usage is asked for. @throws ApiError NOT_FOUND for what is not the caller's */
  readonly askedFor: (call: RouteCall) => Promise<Payer>;
  readonly access: Route['access'];
}

/** `/v1/usage/projection`: what `Account.usageProjection` says, over plain HTTP. */
export const projectionRoute = (options: ProjectionRoute): Route => ({
  method: 'GET',
  path: '/v1/usage/projection',
  metering: 'guarded',
  access: options.access,
  cost: 0,
  problems: true,
  spec: {
    summary: 'Where the day, month or billing period ends, if all goes on as in the last week.',
    query: QUERY,
    answer: z.object({
      accountId: z.string(),
      window: z.string(),
      from: z.iso.datetime(),
      to: z.iso.datetime(),
      asOf: z.iso.datetime(),
      method: z.string(),
      totals: z.array(z.object({ meter: z.string(), used: z.string(), projected: z.string().nullable() })),
      stale: z.boolean(),
    }),
  },
  handle: async (call) => {
    onlyParameters(call, Object.keys(QUERY));
    const { accountId, environment, keyId } = await options.askedFor(call);
    const window = parameter(call, 'window') ?? 'month';
    if (!(RESETTABLE as readonly string[]).includes(window)) {
      throw invalidInput('window', `"window" is one of ${RESETTABLE.join(', ')}.`);
    }
    const which = await whichOf(options, accountId, { keyId: keyId === '' ? undefined : keyId });
    const stale = await staleOf(options, accountId, 0);
    const asked = { account: accountId, environment, ...which };
    const projection = await projectionOf(options, asked, window, call.usageTime, stale);
    return { body: shownIds({ accountId, window, ...projection }) };
  },
});
