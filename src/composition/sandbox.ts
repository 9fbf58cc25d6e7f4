import { randomBytes } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { AdminCommands } from '../admin/server.js';
import type { Clock } from '../clock.js';
import type { Config } from '../config.js';
import { OperatorRefusal } from '../following/operatorRefusal.js';
import { serveSandboxPages } from '../http/sandboxPages.js';
import type { Logger } from '../logger.js';
import type { Sandbox } from '../sandbox/sandbox.js';
import type { Shutdown } from '../shutdown.js';
import type { Stores } from './stores.js';

/** The stand-in for Stripe, where the configuration has it. */
export interface RunningSandbox {
  /** With the sandbox as the payment service. */
  readonly config: Config;
  /** The sandbox's time, by which it bills. */
  readonly clock: Clock;
  /** What `tollgraph sandbox` asks for. */
  readonly commands: AdminCommands;
  /** Its pages for people, under the address that customers use. */
  serve(fastify: FastifyInstance): Promise<void>;
  /** Says what the product has to do at each moment while time is moved. */
  works(work: () => Promise<void>): void;
  /** Says where the product listens, which takes the webhooks that have waited. */
  listens(url: string): void;
}

/** Undefined where Stripe takes payments, or nobody does. One process hosts it (decision 36). */
export async function openSandbox(
  config: Config,
  { sql, clock }: Stores,
  log: Logger,
  shutdown: Shutdown,
): Promise<RunningSandbox | undefined> {
  if (config.billing.mode !== 'sandbox') return undefined;
  let { publicUrl } = config;
  // Whoever has Stripe never loads it.
  const { startSandbox } = await import('../sandbox/sandbox.js');
  let atMoment = (): Promise<void> => Promise.resolve();
  const sandbox = await startSandbox({
    sql,
    clock,
    publicUrl: () => publicUrl,
    webhook: 'later',
    log,
    atMoment: () => atMoment(),
  });
  shutdown.add('sandbox', () => sandbox.close());
  log.warn('payments go to the sandbox that stands in for Stripe: no money moves (docs/sandbox.md)');
  const secret = `whsec_${randomBytes(24).toString('hex')}`;
  return {
    config: {
      ...config,
      billing: {
        ...config.billing,
        secretKey: sandbox.apiKey,
        webhookSecrets: [secret, ...config.billing.webhookSecrets],
        apiBase: sandbox.address,
      },
    },
    clock: () => sandbox.time(),
    commands: sandboxCommands(sandbox),
    serve: (fastify) => serveSandboxPages(fastify, sandbox.address),
    works: (work) => {
      atMoment = work;
    },
    listens: (url) => {
      // Where the port is any free one, nobody has known it yet.
      if (new URL(publicUrl).port === '0') publicUrl = url;
      sandbox.deliverTo({ url: `${url}/webhooks/stripe`, secret });
    },
  };
}

const times = z.number().int().min(1).max(1_000).default(1);
const Advance = z.object({ to: z.string().max(40) });
const Replay = z.object({ id: z.string().max(100) });
const Listed = z.object({ limit: z.number().int().min(1).max(1_000).default(20) });
const Fault = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('decline'),
    decline: z
      .enum([
        'generic_decline',
        'insufficient_funds',
        'lost_card',
        'stolen_card',
        'expired_card',
        'processing_error',
      ])
      .default('generic_decline'),
    customer: z.string().max(100).optional(),
    times,
  }),
  z.object({
    kind: z.literal('deliver'),
    fault: z.enum(['delayed', 'dropped', 'duplicated', 'old_signature', 'reordered', 'wrong_signature']),
    type: z.string().max(100).optional(),
    times,
  }),
  z.object({
    kind: z.literal('call'),
    status: z.union([z.literal(429), z.literal(500), z.literal(503)]).default(500),
    path: z.string().max(200).optional(),
    after: z.boolean().default(false),
    times,
  }),
  z.object({ kind: z.literal('alter'), by: z.number().int().min(-1_000_000).max(1_000_000), times }),
  z.object({
    kind: z.literal('dispute'),
    payment: z.string().max(100),
    what: z.enum(['inquiry', 'won', 'lost']).optional(),
  }),
  z.object({ kind: z.literal('clear') }),
]);

function sandboxCommands(sandbox: Sandbox): AdminCommands {
  /** What the sandbox refuses is for people to read. */
  const told = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw error instanceof Error && ['ApiError', 'CannotAdvance'].includes(error.name)
        ? new OperatorRefusal(error.message)
        : error;
    }
  };
  return {
    'sandbox api': async () => ({ base: sandbox.address, key: sandbox.apiKey }),
    'sandbox time': async () => ({ now: new Date(sandbox.now()).toISOString() }),
    'sandbox advance': async (args) =>
      told(async () => ({ now: (await sandbox.advance(Advance.parse(args).to)).toISOString() })),
    'sandbox deliveries': async (args) => sandbox.listDeliveries(Listed.parse(args).limit),
    'sandbox replay': async (args) => {
      await told(() => sandbox.deliveries.replay(Replay.parse(args).id));
      return null;
    },
    'sandbox fault': async (args) => {
      const asked = Fault.parse(args);
      const { faults } = sandbox;
      if (asked.kind === 'decline') faults.declineCharges(asked.decline, asked.times, asked.customer);
      if (asked.kind === 'deliver') faults.disturbDeliveries(asked.fault, asked.times, asked.type);
      if (asked.kind === 'call') {
        const { status, after, path } = asked;
        faults.failCalls({ status, after, ...(path !== undefined && { path }) }, asked.times);
      }
      if (asked.kind === 'alter') faults.alterInvoices(asked.by, asked.times);
      if (asked.kind === 'dispute') await told(() => sandbox.dispute(asked.payment, asked.what));
      if (asked.kind === 'clear') faults.clear();
      return null;
    },
  };
}
