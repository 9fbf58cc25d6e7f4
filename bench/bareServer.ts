// The baseline: Apollo Server on Fastify, nothing else, answering from the same schema, the same
// resolvers and the same read model. No key, no limits, no journal; executed by graphql-js.
import { join } from 'node:path';
import { ApolloServer } from '@apollo/server';
import { ApolloServerPluginCacheControlDisabled } from '@apollo/server/plugin/disabled';
import fastifyApollo from '@as-integrations/fastify';
import Fastify from 'fastify';
import { parse } from 'yaml';
import { readFileSync } from 'node:fs';
import { catalogue as catalogueModel } from '../projections/catalogue/model.js';
import { CatalogueQueries } from '../projections/catalogue/queries.js';
import { popularity } from '../projections/popularity/model.js';
import { Projector } from '../src/following/projector.js';
import { PostgresEventStore } from '../src/adapters/postgres/eventStore.js';
import { openPostgres } from '../src/adapters/postgres/pg.js';
import { openPglite } from '../src/adapters/postgres/pglite.js';
import { importPatterns, readPatternFiles } from '../src/catalogue/importer.js';
import { CatalogueResolver } from '../src/catalogue/resolvers.js';
import { CommandHandler } from '../src/eventsourcing/commandHandler.js';
import { EventReader } from '../src/following/reader.js';
import type { RequestContext } from '../src/graphql/kit/context.js';
import { Cursors } from '../src/graphql/kit/cursors.js';
import { createSchema } from '../src/graphql/execution/schema.js';
import { Profile } from '../src/plans/profile.js';

const [root = '', dataDir = ''] = process.argv.slice(2);
const url = process.env['DATABASE_URL'];
const sql = url ? await openPostgres(url) : await openPglite(join(dataDir, 'postgres'));
await sql.script('CREATE EXTENSION IF NOT EXISTS vector; CREATE EXTENSION IF NOT EXISTS pg_trgm;');
const store = await PostgresEventStore.open(sql);
const reader = new EventReader(store);
const projector = await Projector.open(sql, reader, [catalogueModel, popularity], (_model, error) => {
  throw error;
});
projector.start();
const profile = Profile.parse(parse(readFileSync(join(root, 'profiles', 'specql.yaml'), 'utf8')));
const context = { caller: 'bench', environment: 'live', correlationId: 'bench', at: new Date() } as const;
const files = await readPatternFiles(join(root, 'patterns'), profile.tiers);
await importPatterns(new CommandHandler(store), files, new Map(), context);
await projector.allReached(await store.head(), 60_000);

const catalogue = new CatalogueQueries(sql, projector.access('catalogue'), projector.access('popularity'));
const plan = profile.plans[0];
if (!plan) throw new Error('the profile has no plan');
const schema = createSchema([
  new CatalogueResolver(
    catalogue,
    { search: () => Promise.resolve({ hits: [], hasNext: false, matches: [] }) },
    { vectorOf: () => Promise.resolve(undefined) },
    new Cursors(Buffer.alloc(32)),
    () => ({ plan, version: 1 }),
    () => profile.plans,
  ),
]);
const apollo = new ApolloServer<RequestContext>({
  schema,
  plugins: [ApolloServerPluginCacheControlDisabled()],
});
await apollo.start();
const fastify = Fastify();
await fastify.register(fastifyApollo(apollo), {
  context: async () =>
    ({ caller: { kind: 'key', accountId: 'bench' }, patternsRead: new Set() }) as unknown as RequestContext,
});
process.send?.({ url: `${await fastify.listen({ port: 0, host: '127.0.0.1' })}/graphql` });
process.on('message', () => process.exit(0));
