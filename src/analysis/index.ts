import type { Capability, Services } from '../capability.js';
import { analyzeRoute } from './analyzeRoute.js';
import { audited } from './audited.js';
import { factRoutes } from './factRoutes.js';
import { fastApi } from './fastApi.js';
import { fileRoutes } from './fileRoutes.js';
import { AnalysisLinks } from './links.js';
import { paymentRoute } from './payment.js';
import { deleteAnalyses, shredAnalysis } from './policies.js';
import { AnalysesResolver } from './resolvers.js';

export const analysis: Capability = {
  streams: ['analysis'],
  audited,
  policies: ({ commands, blobs, queries, asOf }) => [
    deleteAnalyses(
      commands,
      asOf('analyses', (accountId) => queries.analyses.ids(accountId)),
    ),
    shredAnalysis(blobs),
  ],
  graphql: {
    resolvers: [AnalysesResolver],
    create: (services) => {
      const { analysis: desk, queries, sender, cursors, standingIn, shown } = services;
      const links = linksOf(services);
      const resolver = new AnalysesResolver({
        desk,
        links,
        queries: queries.analyses,
        sender,
        cursors,
        standingIn,
        shown,
      });
      return {
        resolvers: [resolver],
        nodes: { Analysis: (ids, context) => resolver.find(ids, context) },
      };
    },
  },
  routes: (services) => {
    const { analysis: desk, problems, log } = services;
    if (!desk) return [];
    const dialect = fastApi(log);
    return [
      ...factRoutes(desk, dialect, problems),
      paymentRoute(desk, dialect, log),
      analyzeRoute(desk, dialect, log),
      ...fileRoutes(desk, linksOf(services)),
    ];
  },
};

function linksOf({ analysis: desk, mailedTokens: tokens, memory }: Services): AnalysisLinks {
  const { keys, deletedAccounts } = memory;
  return new AnalysisLinks({ publicUrl: desk?.publicUrl ?? '', tokens, keys, deletedAccounts });
}
