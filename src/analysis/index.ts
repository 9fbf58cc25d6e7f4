import type { Capability, Services } from '../capability.js';
import { analyzeRoute } from './analyzeRoute.js';
import { audited } from './audited.js';
import { factRoutes } from './factRoutes.js';
import { fastApi } from './fastApi.js';
import { fileRoutes } from './fileRoutes.js';
import { AnalysisLinks } from './links.js';
import { paymentRoutes } from './payment.js';
import { deleteAnalyses, deleteRuleSets, eraseRuleSet, shredAnalysis } from './policies.js';
import { AnalysesResolver } from './resolvers.js';
import { AccountRuleSetsResolver, RuleSetsResolver } from './ruleSetResolvers.js';
import { RuleSets } from './ruleSets.js';
import { UploadSlots } from './uploadSlots.js';

export const analysis: Capability = {
  streams: ['analysis', 'rule_set'],
  audited,
  policies: ({ commands, blobs, personal, queries, asOf }) => [
    deleteAnalyses(
      commands,
      asOf('analyses', (accountId) => queries.analyses.ids(accountId)),
    ),
    shredAnalysis(blobs),
    deleteRuleSets(
      commands,
      asOf('ruleSets', (accountId) => queries.ruleSets.ids(accountId)),
    ),
    eraseRuleSet(personal),
  ],
  graphql: {
    resolvers: [AnalysesResolver, RuleSetsResolver, AccountRuleSetsResolver],
    create: (services) => {
      const { analysis: desk, queries, sender, positions, cursors, standingIn, shown } = services;
      const links = linksOf(services);
      const resolver = new AnalysesResolver({
        desk,
        links,
        queries: queries.analyses,
        sender,
        positions,
        cursors,
        standingIn,
        shown,
      });
      const ruleSets = new RuleSetsResolver({
        desk,
        ruleSets: new RuleSets(services.commands, services.personal),
        queries: queries.ruleSets,
        positions,
        cursors,
        standingIn,
      });
      return {
        resolvers: [resolver, ruleSets, new AccountRuleSetsResolver({ queries: queries.ruleSets, cursors })],
        nodes: {
          Analysis: (ids, context) => resolver.find(ids, context),
          RuleSet: (ids, context) => ruleSets.find(ids, context),
        },
      };
    },
  },
  routes: (services) => {
    const { analysis: desk, problems, log } = services;
    if (!desk) return [];
    const dialect = fastApi(log);
    const slots = new UploadSlots();
    return [
      ...factRoutes(desk, dialect, problems),
      ...paymentRoutes(desk, dialect, log),
      analyzeRoute(desk, slots, dialect, log),
      ...fileRoutes(desk, linksOf(services), slots),
    ];
  },
};

function linksOf({ analysis: desk, mailedTokens: tokens, memory }: Services): AnalysisLinks {
  const { keys, deletedAccounts, memberships } = memory;
  return new AnalysisLinks({
    publicUrl: desk?.publicUrl ?? '',
    tokens,
    keys,
    deletedAccounts,
    memberships,
  });
}
