import { z } from 'zod';
import { MEMBERS } from '../graphql/kit/access.js';
import type { RequestContext } from '../graphql/kit/context.js';
import { commandRoute } from '../rest/commandRoute.js';
import type { Route } from '../rest/route.js';
import { Quantities, ShownLimit, ShownReservation } from '../rest/shapes.js';
import { SCOPES } from './events.js';
import type { VerifyKeyResolver } from './verifyResolvers.js';
import type { VerifyKeyInput } from './verifyTypes.js';

const Verification = z.strictObject({
  secret: z.string().optional(),
  address: z.string().max(45).optional(),
  environment: z.enum(['live', 'test']).optional(),
  scopes: z.array(z.enum(SCOPES)).max(SCOPES.length).default([]),
  spend: z
    .strictObject({
      quantities: Quantities.default([]),
      endpoint: z.string(),
      method: z.string().default('GET'),
      operation: z.string().optional(),
      source: z.string().optional(),
      subject: z.string().optional(),
      reserve: z.boolean().default(false),
    })
    .optional(),
});

const ShownPlan = z.object({
  id: z.string(),
  name: z.string(),
  tiers: z.array(z.string()),
  features: z.array(z.object({ name: z.string(), value: z.string().nullable() })),
  support: z.string().nullable(),
  serviceLevel: z.string().nullable(),
  contact: z.string().nullable(),
});

const Verdict = z.object({
  valid: z.boolean(),
  code: z.string(),
  demo: z.boolean(),
  retryAfterSeconds: z.number().nullable(),
  keyId: z.string().nullable(),
  accountId: z.string().nullable(),
  environment: z.string().nullable(),
  scopes: z.array(z.string()),
  expiresAt: z.iso.datetime().nullable(),
  plan: ShownPlan.nullable(),
  limits: z.array(ShownLimit),
  headers: z.array(z.object({ name: z.string(), value: z.string() })),
  useId: z.string().nullable(),
  reservation: ShownReservation.nullable(),
});

/** What a back end without a GraphQL client asks of a key. */
export const keyRoutes = (resolver: VerifyKeyResolver): Route[] => [
  commandRoute(
    '/v1/keys/verify',
    {
      access: { scope: 'admin', roles: MEMBERS, operator: true },
      summary: 'Says whether a key may be used and what it has left; on demand it spends or reserves.',
      body: Verification,
      answer: Verdict,
    },
    (context, input) => resolver.verifyKey(context as RequestContext, input as VerifyKeyInput),
  ),
];
