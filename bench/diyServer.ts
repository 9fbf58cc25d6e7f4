// What most teams build instead: a route of Fastify with rate-limiter-flexible on Redis, and one INSERT a call.
import Fastify from 'fastify';
import { createClient } from '@redis/client';
import pg from 'pg';
import { RateLimiterRedis } from 'rate-limiter-flexible';

const { DATABASE_URL: databaseUrl, REDIS_URL: redisUrl } = process.env;
if (databaseUrl === undefined || redisUrl === undefined)
  throw new Error('DATABASE_URL and REDIS_URL are needed');
const pool = new pg.Pool({ connectionString: databaseUrl, max: 10 });
await pool.query(
  `CREATE TABLE calls (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL DEFAULT now(),
     account text NOT NULL, key text NOT NULL, endpoint text NOT NULL, requests int NOT NULL, videos int NOT NULL)`,
);
const redis = createClient({ url: redisUrl });
await redis.connect();
const limiter = new RateLimiterRedis({
  storeClient: redis,
  useRedisPackage: true,
  keyPrefix: `diy-${process.pid}`,
  points: 1_000_000_000,
  duration: 60,
});
const SECRET = 'sk_live_bench';
const keys = new Map([[SECRET, { account: 'bench', key: 'bench' }]]);

const fastify = Fastify();
fastify.post('/v1/keys/verify', async (request, reply) => {
  const { secret, spend } = request.body as {
    secret: string;
    spend: { endpoint: string; quantities: { meter: string; quantity: number }[] };
  };
  const known = keys.get(secret);
  if (!known) return reply.status(401).send({ valid: false });
  const { remainingPoints } = await limiter.consume(known.account).catch(() => ({ remainingPoints: -1 }));
  if (remainingPoints < 0) return reply.status(429).send({ valid: false });
  const videos = spend.quantities[0]?.quantity ?? 0;
  await pool.query({
    name: 'call',
    text: 'INSERT INTO calls (account, key, endpoint, requests, videos) VALUES ($1, $2, $3, 1, $4)',
    values: [known.account, known.key, spend.endpoint, videos],
  });
  return reply.send({ valid: true, remaining: remainingPoints });
});
process.send?.({
  url: await fastify.listen({ port: 0, host: '127.0.0.1' }),
  backEnd: 'none',
  secret: SECRET,
  keyId: 'bench',
});
process.on('message', () => process.exit(0));
