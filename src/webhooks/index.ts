import type { Capability, PolicyServices, Services } from '../capability.js';
import { inReach } from '../graphql/kit/access.js';
import { PlanRequired } from '../graphql/kit/refusals.js';
import { shownPlan } from '../plans/planTypes.js';
import { hasFeature } from '../plans/profile.js';
import { audited } from './audited.js';
import type { EndpointRules } from './decide.js';
import { Endpoints } from './endpoints.js';
import {
  AccountWebhooksResolver,
  ENDPOINTS_ACCESS,
  OperatorWebhooksResolver,
  pageOfEndpoints,
  WebhookEndpointResolver,
} from './fieldResolvers.js';
import { askForWebhooks, endWebhooks, eraseEndpoint } from './policies.js';
import { publicEvents } from './publicEvents.js';
import { WebhooksResolver } from './resolvers.js';
import { endpointOf } from './types.js';

export const webhooks: Capability = {
  streams: ['webhook_endpoint', 'webhook_delivery'],
  audited,
  publicEvents,
  policies: (services) => {
    const { commands, personal, queries, asOf } = services;
    return [
      askForWebhooks(
        services.publicEvents,
        services.outbox,
        services.webhookSequences,
        listening(services),
        services.clock,
      ),
      endWebhooks(
        commands,
        asOf('webhooks', (accountId) => queries.webhooks.ids(accountId)),
      ),
      eraseEndpoint(personal),
    ];
  },
  graphql: {
    resolvers: [WebhooksResolver, AccountWebhooksResolver, OperatorWebhooksResolver, WebhookEndpointResolver],
    create: (services) => {
      const { commands, personal, queries, cursors, outbox, positions } = services;
      const rules = rulesOf(services);
      const endpoints = new Endpoints(commands, personal, rules, (of) => queries.webhooks.count(of));
      const page = pageOfEndpoints(queries.webhooks, cursors);
      return {
        resolvers: [
          new WebhooksResolver({
            endpoints,
            outbox,
            publicEvents: Object.values(services.publicEvents),
            positions,
            planRequired: planRequired(services),
          }),
          new AccountWebhooksResolver(page),
          new OperatorWebhooksResolver(page),
          new WebhookEndpointResolver(outbox, cursors),
        ],
        nodes: {
          WebhookEndpoint: async (ids, context) => {
            const { caller } = context;
            const operator = 'operator' in caller && caller.operator;
            const rows = await queries.webhooks.byIds(ids);
            // As with the lists of endpoints: those of operators, and those of each one's account.
            const shared = rows.filter((row) => row.all_accounts && operator);
            const own = await inReach(
              rows.filter((row) => !row.all_accounts),
              ({ account_id: id }) => services.standingIn(context, id),
              ENDPOINTS_ACCESS,
            );
            return [...shared, ...own].map(endpointOf);
          },
        },
      };
    },
  },
};

const rulesOf = ({ webhookNetworks, publicEvents: all }: Services): EndpointRules => ({
  plainHttp: webhookNetworks !== undefined,
  eventTypes: Object.values(all).map(({ type }) => type),
});

/** Endpoints of one's own may be a feature of plans. */
function planRequired({ planOf, memory }: Services): (accountId: string) => PlanRequired | undefined {
  return (accountId) => {
    const { webhooks: sold, plans } = memory.plans.profile;
    if (sold === undefined || hasFeature(planOf(accountId).plan, sold.feature)) return undefined;
    const plan = plans.find((one) => hasFeature(one, sold.feature));
    if (!plan) throw new Error(`no plan has the feature "${sold.feature}"`);
    return new PlanRequired(
      shownPlan(plan),
      `The plan of this account has no webhooks; "${plan.id}" has them.`,
    );
  };
}

/** The endpoints that are told of an event: those of an account only while its plan includes them. */
function listening({ queries, asOf, profile }: PolicyServices): Parameters<typeof askForWebhooks>[3] {
  const includes = async (accountId: string): Promise<boolean> => {
    const sold = profile.webhooks;
    if (sold === undefined) return true;
    const id = (await queries.accounts.planOf(accountId)) ?? profile.defaultPlan;
    const plan = profile.plans.find((one) => one.id === id);
    return plan !== undefined && hasFeature(plan, sold.feature);
  };
  return (accountId, eventType, position) =>
    asOf('webhooks', async () => {
      const rows = await queries.webhooks.listening(accountId, eventType, position);
      const own = rows.some((row) => !row.all_accounts) && (await includes(accountId));
      return rows
        .filter((row) => row.all_accounts || own)
        .map(({ id, all_accounts: shared }) => ({ id, owner: shared ? undefined : accountId }));
    })(accountId, position);
}
