import type { AuditedTypes } from '../src/eventsourcing/audited.js';
import { Behind } from '../src/following/behind.js';
import type { ReadModel, ReadModelAccess, ReadModels } from '../src/following/readModel.js';
import type { Sql } from '../src/sql/sql.js';
import { accounts } from './accounts/model.js';
import { AccountQueries } from './accounts/queries.js';
import { agreedPrices } from './agreedPrices/model.js';
import { AgreedPriceQueries } from './agreedPrices/queries.js';
import { analyses } from './analyses/model.js';
import { AnalysisQueries } from './analyses/queries.js';
import { auditLog } from './audit/model.js';
import { AuditQueries } from './audit/queries.js';
import { BilledUseQueries } from './billedUse/queries.js';
import { calls } from './calls/model.js';
import { CallQueries } from './calls/queries.js';
import { catalogue } from './catalogue/model.js';
import { CatalogueQueries } from './catalogue/queries.js';
import { credits } from './credits/model.js';
import { CreditQueries } from './credits/queries.js';
import { disputes } from './disputes/model.js';
import { DisputeQueries } from './disputes/queries.js';
import { identities } from './identities/model.js';
import { IdentityQueries } from './identities/queries.js';
import { invoices } from './invoices/model.js';
import { InvoiceQueries } from './invoices/queries.js';
import { keys } from './keys/model.js';
import { KeyQueries } from './keys/queries.js';
import { overage } from './overage/model.js';
import { OverageQueries } from './overage/queries.js';
import { planHistory } from './planHistory/model.js';
import { PlanHistoryQueries } from './planHistory/queries.js';
import { popularity } from './popularity/model.js';
import { revenue } from './revenue/model.js';
import { RevenueQueries } from './revenue/queries.js';
import { quotaResets } from './quotaResets/model.js';
import { QuotaResetQueries } from './quotaResets/queries.js';
import { ruleSets } from './ruleSets/model.js';
import { RuleSetQueries } from './ruleSets/queries.js';
import { sessions } from './sessions/model.js';
import { SessionQueries } from './sessions/queries.js';
import { stripeEvents } from './stripeEvents/model.js';
import { StripeEventQueries } from './stripeEvents/queries.js';
import { subscriptions } from './subscriptions/model.js';
import { SubscriptionQueries } from './subscriptions/queries.js';
import { teams } from './teams/model.js';
import { TeamQueries } from './teams/queries.js';
import { usage } from './usage/model.js';
import { UsageQueries } from './usage/queries.js';
import { UsageReports } from './usage/reports.js';
import { thresholds } from './thresholds/model.js';
import { ThresholdQueries } from './thresholds/queries.js';
import { useBatches } from './useBatches/model.js';
import { UseBatchQueries } from './useBatches/queries.js';
import { webhooks } from './webhooks/model.js';
import { WebhookQueries } from './webhooks/queries.js';

/** All read models. @param audited what the audit log keeps of events, by their types */
export const readModels = (audited: AuditedTypes): readonly ReadModel[] => [
  keys,
  accounts,
  sessions,
  identities,
  teams,
  catalogue,
  usage,
  useBatches,
  calls,
  thresholds,
  quotaResets,
  planHistory,
  popularity,
  subscriptions,
  agreedPrices,
  invoices,
  overage,
  credits,
  revenue,
  disputes,
  stripeEvents,
  webhooks,
  analyses,
  ruleSets,
  auditLog(audited),
];

/** The queries of all read models. */
export type Queries = ReturnType<typeof queriesOf>;

/** @param sql the database that the read models are in */
export function queriesOf(sql: Sql, models: Pick<ReadModels, 'access' | 'reached'>) {
  const behind = <Q extends object>(
    model: string,
    Of: new (sql: Sql, model: ReadModelAccess) => Q,
  ): Behind<Q> => new Behind(model, new Of(sql, models.access(model)), models);
  return {
    accounts: new AccountQueries(sql, models.access('accounts')),
    agreedPrices: new AgreedPriceQueries(sql, models.access('agreedPrices')),
    analyses: new AnalysisQueries(sql, models.access('analyses')),
    audit: new AuditQueries(sql, models.access('audit')),
    calls: behind('calls', CallQueries),
    catalogue: new CatalogueQueries(sql, models.access('catalogue'), models.access('popularity')),
    identities: new IdentityQueries(sql, models.access('identities')),
    credits: new CreditQueries(sql, models.access('credits')),
    disputes: behind('disputes', DisputeQueries),
    keys: new KeyQueries(sql, models.access('keys')),
    sessions: new SessionQueries(sql, models.access('sessions')),
    subscriptions: new SubscriptionQueries(sql, models.access('subscriptions')),
    invoices: new InvoiceQueries(sql, models.access('invoices')),
    overage: new OverageQueries(sql, models.access('overage')),
    revenue: behind('revenue', RevenueQueries),
    ruleSets: new RuleSetQueries(sql, models.access('ruleSets')),
    billedUse: new BilledUseQueries(sql, models.access('usage')),
    stripeEvents: behind('stripeEvents', StripeEventQueries),
    teams: new TeamQueries(sql, models.access('teams')),
    usage: new UsageQueries(sql, models.access('usage')),
    usageReports: new UsageReports(sql, models.access('usage')),
    planHistory: behind('planHistory', PlanHistoryQueries),
    quotaResets: new QuotaResetQueries(sql, models.access('quotaResets')),
    thresholds: behind('thresholds', ThresholdQueries),
    useBatches: behind('useBatches', UseBatchQueries),
    webhooks: new WebhookQueries(sql, models.access('webhooks')),
  };
}
