import type { Capability } from '../capability.js';
import { QueryEmbedder } from './queryEmbedder.js';
import { CatalogueResolver, PatternFieldsResolver } from './resolvers.js';

export const catalogue: Capability = {
  streams: ['pattern'],
  graphql: {
    resolvers: [CatalogueResolver, PatternFieldsResolver],
    create: ({ queries, search, cursors, planOf, memory, log }) => {
      const resolver = new CatalogueResolver(
        queries.catalogue,
        search,
        new QueryEmbedder(search.model, (error) => log.error('a query has no vector', error)),
        cursors,
        planOf,
        () => memory.plans.profile.plans,
      );
      return {
        resolvers: [resolver, new PatternFieldsResolver()],
        nodes: [(id, context) => resolver.node(id, context)],
      };
    },
  },
};
