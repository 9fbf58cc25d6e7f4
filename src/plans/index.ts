import type { Capability } from '../capability.js';
import { PAID_PLAN_EVENTS } from '../billing/events.js';
import { audited } from './audited.js';
import { PlanDirectory } from './directory.js';
import { profileStream } from './events.js';
import { endSubscription } from './policies.js';
import { publicEvents } from './publicEvents.js';
import { PlansResolver } from './resolvers.js';

/** No period that can be reset is longer: a month, and a day for clocks. */
const LONGEST_PERIOD_MS = 32 * 86_400_000;

export const plans: Capability = {
  streams: ['profile', 'subscription'],
  audited,
  publicEvents,
  policies: ({ commands }) => [endSubscription(commands)],
  memory: async ({ queries, commands, profile, clock, billingClock }) => {
    const directory = new PlanDirectory(billingClock);
    directory.load(await queries.accounts.plans());
    directory.loadGraces(await queries.subscriptions.graces());
    directory.billed.load(await queries.overage.all(), await queries.credits.all());
    directory.loadResets(await queries.quotaResets.since(new Date(clock() - LONGEST_PERIOD_MS)));
    for (const event of await commands.load(profileStream(profile.name))) directory.apply(event);
    return { plans: directory };
  },
  // What an account may use above its limits, since it pays for it or has paid before.
  remembers: ['overage', 'credits'],
  ends: {
    PlanGranted: ({ streamId }) => streamId,
    SubscriptionEnded: ({ streamId }) => streamId,
    ...Object.fromEntries(PAID_PLAN_EVENTS.map((type) => [type, ({ streamId }) => streamId])),
  },
  graphql: {
    resolvers: [PlansResolver],
    create: ({ commands, operatorAction, memory, positions }) => ({
      resolvers: [new PlansResolver(commands, operatorAction, memory.plans, positions)],
    }),
  },
};
