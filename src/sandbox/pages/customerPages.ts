import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Engine } from '../engine.js';
import { ApiError, cardError } from '../errors.js';
import { livingCustomer } from '../resources/customers.js';
import { confirmIntent } from '../resources/intents.js';
import { nameOf } from '../resources/lines.js';
import { addCard, cannotSave } from '../resources/paymentMethods.js';
import { lastPeriodEnd } from '../resources/subscriptionItems.js';
import { updateSubscription } from '../resources/subscriptionLife.js';
import { HOUR } from '../rules/time.js';
import type { Unit } from '../unit.js';
import { answerPage, cardOf, formOf, guarded, seeOther } from './forms.js';
import { invoicePage, portalPage } from './portalPage.js';

/** How long a session of the portal can be used. */
const SESSION_SECONDS = HOUR;
const SHOWN_INVOICES = 24;

/** The portal of a customer, and the pages of invoices. */
export function serveCustomerPages(fastify: FastifyInstance, engine: Engine): void {
  type Id = { Params: { id: string } };

  fastify.get<Id>('/sandbox/portal/:id', async ({ params: { id } }, reply) =>
    guarded(reply, async () => answerPage(reply, await engine.run((unit) => portal(unit, id)))),
  );

  /** A form of the portal: what it does, then the portal again. */
  const form = (
    path: string,
    work: (unit: Unit, customer: string, given: Readonly<Record<string, string>>) => void,
  ) =>
    fastify.post<Id>(`/sandbox/portal/:id/${path}`, async (request, reply) =>
      guarded(reply, async (): Promise<FastifyReply> => {
        const { id } = request.params;
        const given = formOf(request);
        try {
          const base = await engine.run((unit) => {
            work(unit, sessionOf(unit, id).customer, given);
            return `${unit.pagesUrl}/portal/${id}`;
          });
          return seeOther(reply, base);
        } catch (error) {
          if (!(error instanceof ApiError) || error.body.code === 'session_over') throw error;
          return answerPage(reply, await engine.run((unit) => portal(unit, id, error.message)), 402);
        }
      }),
    );

  // As Stripe's portal does it: `cancel_at` is set, and not `cancel_at_period_end`.
  form('cancel', (unit, customer, { subscription: id = '' }) => {
    const subscription = ofCustomer(unit, id, customer);
    updateSubscription(unit, subscription, { cancel_at: lastPeriodEnd(subscription) });
  });
  form('keep', (unit, customer, { subscription: id = '' }) => {
    const subscription = ofCustomer(unit, id, customer);
    const atEnd = subscription.cancel_at_period_end;
    updateSubscription(unit, subscription, atEnd ? { cancel_at_period_end: false } : { cancel_at: '' });
  });
  form('card', (unit, customer, given) => changeCard(unit, customer, given));

  fastify.get<Id>('/sandbox/invoice/:id', async ({ params: { id } }, reply) =>
    guarded(reply, async () =>
      answerPage(
        reply,
        await engine.run((unit) => invoicePage(unit.get('invoice', id), `${unit.pagesUrl}/invoice/${id}`)),
      ),
    ),
  );

  fastify.post<Id>('/sandbox/invoice/:id', async (request, reply) => {
    const { id } = request.params;
    return guarded(reply, async () => {
      const [outcome, next] = await engine.run((unit) => {
        const invoice = unit.get('invoice', id);
        const method = addCard(unit, cardOf(formOf(request))).id;
        const intent = invoice.$.paymentIntent ?? '';
        const returnUrl = `${unit.pagesUrl}/invoice/${id}`;
        const result = confirmIntent(unit, intent, { method, returnUrl });
        return [result, result === 'requires_action' ? `${unit.pagesUrl}/authenticate/${intent}` : returnUrl];
      });
      if (outcome !== 'declined') return seeOther(reply, next);
      const page = await engine.run((unit) => {
        const invoice = unit.get('invoice', id);
        const { last_payment_error: error } = unit.get('payment_intent', invoice.$.paymentIntent ?? '');
        return invoicePage(
          invoice,
          `${unit.pagesUrl}/invoice/${id}`,
          (error?.['message'] as string | undefined) ?? '',
        );
      });
      return answerPage(reply, page, 402);
    });
  });
}

function sessionOf(unit: Unit, id: string) {
  const session = unit.get('billing_portal.session', id);
  if (session.created + SESSION_SECONDS > unit.now) return session;
  throw new ApiError(400, {
    type: 'invalid_request_error',
    code: 'session_over',
    message: 'This session has expired. Open the portal again.',
  });
}

function ofCustomer(unit: Unit, id: string, customer: string) {
  const subscription = unit.edit('subscription', id);
  if (subscription.customer === customer) return subscription;
  throw new ApiError(404, { type: 'invalid_request_error', message: 'There is no such subscription.' });
}

/** The card that a person has typed pays from now on, also for subscriptions that had one of their own. */
function changeCard(unit: Unit, id: string, given: Readonly<Record<string, string>>): void {
  const method = addCard(unit, cardOf(given));
  const problem = cannotSave(method.$.behaviour);
  if (problem) throw new ApiError(402, cardError(problem).body);
  method.customer = id;
  method.$.authenticated = true;
  unit.emit('payment_method.attached', method);
  const customer = livingCustomer(unit, id);
  customer.invoice_settings.default_payment_method = method.id;
  unit.emitUpdate('customer.updated', customer);
  for (const one of unit.filter(
    'subscription',
    (sub) => sub.customer === id && sub.default_payment_method !== null,
  )) {
    if (['canceled', 'incomplete_expired'].includes(one.status)) continue;
    const subscription = unit.edit('subscription', one.id);
    subscription.default_payment_method = method.id;
    unit.emitUpdate('customer.subscription.updated', subscription);
  }
}

function portal(unit: Unit, id: string, problem?: string): string {
  const { customer, return_url: returnUrl } = sessionOf(unit, id);
  const mine = (one: { customer: string | null }): boolean => one.customer === customer;
  return portalPage(
    {
      base: `${unit.pagesUrl}/portal/${id}`,
      returnUrl,
      customer: unit.get('customer', customer),
      subscriptions: unit
        .filter(
          'subscription',
          (one) => mine(one) && !['canceled', 'incomplete_expired'].includes(one.status),
        )
        .map((one) => ({ ...one, what: one.items.data.map(({ price }) => nameOf(unit, price)).join(', ') })),
      methods: unit.filter('payment_method', mine),
      invoices: unit
        .filter('invoice', (one) => mine(one) && one.number !== null)
        .reverse()
        .slice(0, SHOWN_INVOICES),
    },
    problem,
  );
}
