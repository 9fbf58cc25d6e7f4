import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Engine } from '../engine.js';
import { ApiError } from '../errors.js';
import type { CheckoutSession } from '../objects.js';
import {
  afterTrial,
  complete,
  openSession,
  recordDecline,
  takeCard,
  useCode,
} from '../resources/checkout.js';
import { authenticate } from '../resources/intents.js';
import type { CardInput } from '../resources/paymentMethods.js';
import { formatted } from '../rules/money.js';
import { authenticationPage, checkoutPage, overPage } from './checkoutPage.js';
import { serveCustomerPages } from './customerPages.js';
import type { Form } from './forms.js';
import { answerPage, cardOf, formOf, guarded, seeOther } from './forms.js';
import { html } from './html.js';

/** The pages on which people pay and answer their banks. */
export function servePages(fastify: FastifyInstance, engine: Engine): void {
  type Id = { Params: { id: string } };
  serveCustomerPages(fastify, engine);

  fastify.get<Id>('/sandbox/checkout/:id', async ({ params: { id } }, reply) =>
    guarded(reply, async () => answerPage(reply, await shown(id))),
  );

  fastify.post<Id>('/sandbox/checkout/:id', async (request, reply) => {
    const { id } = request.params;
    const form = formOf(request);
    return guarded(reply, () =>
      pay(reply, id, form, form['number'] === undefined ? undefined : cardOf(form)),
    );
  });

  fastify.post<Id>('/sandbox/checkout/:id/code', async (request, reply) => {
    const { id } = request.params;
    return guarded(reply, async () => {
      try {
        await engine.run((unit) => useCode(unit, id, formOf(request)['code'] ?? ''));
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        return answerPage(reply, await shown(id, {}, error.message), 400);
      }
      return seeOther(reply, await baseOf(id));
    });
  });

  fastify.post<Id>('/sandbox/checkout/:id/authenticate', async (request, reply) => {
    const { id } = request.params;
    const form = formOf(request);
    return guarded(reply, async () => {
      if (form['answer'] === 'yes') return pay(reply, id, form, form['method'], true);
      await engine.run((unit) => {
        openSession(unit, id).$.failure =
          'We are unable to authenticate your payment method. Please choose a different payment method and try again.';
      });
      return answerPage(reply, await shown(id, form), 402);
    });
  });

  fastify.get<Id>('/sandbox/authenticate/:id', async ({ params: { id } }, reply) =>
    guarded(reply, async () => {
      const amount = await engine.run((unit) => {
        const intent = unit.find('payment_intent', id);
        return intent && formatted(intent.amount, intent.currency);
      });
      return answerPage(reply, authenticationPage('', amount, undefined));
    }),
  );

  fastify.post<Id>('/sandbox/authenticate/:id', async (request, reply) =>
    guarded(reply, async () => {
      const { $, status } = await engine.run((unit) =>
        authenticate(unit, request.params.id, formOf(request)['answer'] === 'yes'),
      );
      if ($.returnUrl !== undefined) return seeOther(reply, $.returnUrl);
      return answerPage(reply, overPage(status === 'succeeded' ? 'Thank you.' : 'The payment was refused.'));
    }),
  );

  async function pay(
    reply: FastifyReply,
    id: string,
    form: Form,
    card: CardInput | string | undefined,
    authenticated = false,
  ): Promise<FastifyReply> {
    const { email, name } = form;
    try {
      if (typeof card === 'object') {
        const typed = card;
        const taken = await engine.run((unit) => takeCard(unit, id, typed));
        if (taken.authenticates) return await ask(reply, id, taken.method, form);
        card = taken.method;
      }
      const given = card;
      const session = await engine.run((unit) =>
        complete(unit, id, {
          ...(given !== undefined && { card: given }),
          email: email ?? null,
          name: name === '' ? null : (name ?? null),
          authenticated,
        }),
      );
      return seeOther(reply, successUrl(session));
    } catch (error) {
      if (!(error instanceof ApiError) || error.body.code === 'checkout_session_over') throw error;
      const { message } = error;
      const given = card;
      if (typeof given === 'string') await engine.run((unit) => recordDecline(unit, id, given, message));
      return answerPage(reply, await shown(id, form, message), 402);
    }
  }

  async function ask(
    reply: FastifyReply,
    id: string,
    method: string,
    { email, name }: Form,
  ): Promise<FastifyReply> {
    const [amount, base] = await engine.run((unit) => {
      const { amount_total: total, currency } = openSession(unit, id);
      return [total > 0 ? formatted(total, currency) : undefined, `${unit.pagesUrl}/checkout/${id}`];
    });
    const hidden = html`<input type="hidden" name="method" value="${method}" />
      <input type="hidden" name="email" value="${email}" /><input
        type="hidden"
        name="name"
        value="${name}"
      />`;
    return answerPage(reply, authenticationPage(`${base}/authenticate`, amount, hidden));
  }

  const baseOf = (id: string): Promise<string> => engine.run((unit) => `${unit.pagesUrl}/checkout/${id}`);

  const shown = (id: string, typed: Form = {}, problem?: string): Promise<string> =>
    engine.run((unit) => {
      const session = openSession(unit, id);
      return checkoutPage(session, {
        base: `${unit.pagesUrl}/checkout/${id}`,
        later: afterTrial(unit, session),
        typed,
        problem,
      });
    });
}

const successUrl = ({ id, success_url: url }: CheckoutSession): string =>
  (url ?? '').replaceAll('{CHECKOUT_SESSION_ID}', id);
