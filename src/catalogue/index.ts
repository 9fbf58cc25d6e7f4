import type { Capability } from '../capability.js';
import { catalogueLoaders } from './loaders.js';
import { QueryEmbedder } from './queryEmbedder.js';
import { CatalogueResolver, PatternFieldsResolver, PatternSearchResolver } from './resolvers.js';

export const catalogue: Capability = {
  streams: ['pattern'],
  graphql: {
    resolvers: [CatalogueResolver, PatternFieldsResolver, PatternSearchResolver],
    loaders: catalogueLoaders,
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
        resolvers: [resolver, new PatternFieldsResolver(), new PatternSearchResolver(search)],
        nodes: { Pattern: (ids, context) => resolver.nodes(ids, context) },
      };
    },
  },
};
