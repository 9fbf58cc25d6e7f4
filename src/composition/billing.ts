import type { FastifyInstance } from 'fastify';
import { WebhookReceiver } from '../billing/webhooks.js';
import type { Config } from '../config.js';
import { serveStripeWebhooks } from '../http/stripeWebhooks.js';
import type { Logger } from '../logger.js';
import { Blobs } from '../secrets/blobs.js';
import type { Stores } from './stores.js';

/** Payments, where anybody takes them. */
export interface Billing {
  serve(fastify: FastifyInstance): Promise<void>;
}

export async function openBilling(
  { sql, personal, commands, clock }: Stores,
  { billing: { mode, webhookSecrets } }: Config,
  log: Logger,
): Promise<Billing | undefined> {
  if (mode === 'off' || webhookSecrets.length === 0) return undefined;
  // Loaded only where it is wanted.
  const { signatureCheck } = await import('../adapters/stripe/signature.js');
  const check = signatureCheck(webhookSecrets);
  const receiver = new WebhookReceiver(commands, await Blobs.open(sql, personal), check);
  return {
    serve: (fastify) =>
      serveStripeWebhooks(fastify, {
        receive: (body, signature, now) => receiver.receive(body, signature, now),
        clock,
        log,
      }),
  };
}
