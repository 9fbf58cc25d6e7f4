import type { FastifyInstance } from 'fastify';
import { statusOf } from '../graphql/kit/errors.js';
import type { Logger } from '../logger.js';
import { Outage } from '../outage.js';
import { errorBody } from './errorBody.js';

/** Of one event, in bytes; Stripe's are a few kilobytes. */
const MAX_EVENT_BYTES = 1024 * 1024;

export interface StripeWebhooks {
  readonly receive: (
    body: Buffer,
    signature: string | undefined,
    now: number,
  ) => Promise<'stored' | 'not_signed' | 'not_an_event'>;
  readonly clock: () => number;
  readonly log: Logger;
}

/** `POST /webhooks/stripe`: takes the raw bytes, which the signature is of, and answers once they are stored. */
export async function serveStripeWebhooks(
  fastify: FastifyInstance,
  { receive, clock, log }: StripeWebhooks,
): Promise<void> {
  await fastify.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(
      '*',
      { parseAs: 'buffer', bodyLimit: MAX_EVENT_BYTES },
      (_request, body, done) => done(null, body),
    );
    scope.post('/webhooks/stripe', { bodyLimit: MAX_EVENT_BYTES }, async (request, reply) => {
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      const signature = request.headers['stripe-signature'];
      try {
        const receipt = await receive(body, Array.isArray(signature) ? undefined : signature, clock());
        if (receipt === 'stored') return await reply.send({ received: true });
        const code = receipt === 'not_signed' ? 'SIGNATURE_INVALID' : 'BODY_INVALID';
        return await reply.status(statusOf(code)).send(errorBody(code));
      } catch (error) {
        if (!(error instanceof Outage)) throw error;
        // Nothing but 2xx is final for Stripe: it tries again for three days.
        log.error('an event of Stripe could not be stored', error);
        return reply.status(statusOf('TRY_AGAIN')).send(errorBody('TRY_AGAIN'));
      }
    });
  });
}
