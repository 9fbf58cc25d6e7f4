import type { FastifyInstance } from 'fastify';
import type { ErrorCode } from '../graphql/kit/errors.js';
import { ApiError } from '../graphql/kit/errors.js';
import type { Logger } from '../logger.js';
import { Outage } from '../outage.js';

/** Of one event, in bytes; Stripe's are a few kilobytes. */
const MAX_EVENT_BYTES = 1024 * 1024;

/** An address at which Stripe's events are taken, and what is answered there. */
export interface StripePlace {
  readonly path: string;
  /** Once an event is stored. */
  readonly stored: unknown;
  readonly refuse: (error: ApiError) => { readonly status: number; readonly body: unknown };
}

/** Our own, which is there in every profile. */
const OWN: StripePlace = {
  path: '/webhooks/stripe',
  stored: { received: true },
  refuse: (error) => ({ status: error.status, body: { errors: [error] } }),
};

export interface StripeWebhooks {
  readonly receive: (
    body: Buffer,
    signature: string | undefined,
    now: number,
  ) => Promise<'stored' | 'not_signed' | 'not_an_event'>;
  readonly clock: () => number;
  readonly log: Logger;
}

/**
 * `POST /webhooks/stripe`, and the profile's own addresses for it: takes the raw bytes, which the signature is of,
 * and answers once they are stored.
 * @param own of the profile: endpoints at Stripe that are set to them already need no change
 */
export async function serveStripeWebhooks(
  fastify: FastifyInstance,
  webhooks: StripeWebhooks,
  own: readonly StripePlace[] = [],
): Promise<void> {
  const places = new Map([OWN, ...own].map((place) => [place.path, place]));
  await fastify.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(
      '*',
      { parseAs: 'buffer', bodyLimit: MAX_EVENT_BYTES },
      (_request, body, done) => done(null, body),
    );
    for (const place of places.values()) serve(scope, webhooks, place);
  });
}

function serve(
  scope: FastifyInstance,
  { receive, clock, log }: StripeWebhooks,
  { path, stored, refuse }: StripePlace,
): void {
  scope.post(path, { bodyLimit: MAX_EVENT_BYTES, config: { refuse } }, async (request, reply) => {
    const refused = (code: ErrorCode) => {
      const { status, body } = refuse(new ApiError(code));
      return reply.status(status).send(body);
    };
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    const signature = request.headers['stripe-signature'];
    try {
      const receipt = await receive(body, Array.isArray(signature) ? undefined : signature, clock());
      if (receipt === 'stored') return await reply.send(stored);
      return await refused(receipt === 'not_signed' ? 'SIGNATURE_INVALID' : 'BODY_INVALID');
    } catch (error) {
      if (!(error instanceof Outage)) throw error;
      // Nothing but 2xx is final for Stripe: it tries again for three days.
      log.error('an event of Stripe could not be stored', error);
      return refused('TRY_AGAIN');
    }
  });
}
