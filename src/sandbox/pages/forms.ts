import type { FastifyReply, FastifyRequest } from 'fastify';
import { ApiError } from '../errors.js';
import type { CardInput } from '../resources/paymentMethods.js';
import { overPage } from './checkoutPage.js';

export type Form = Readonly<Record<string, string>>;

/** No scripts, nothing from elsewhere, in no frame. Forms may end at the merchant's address. */
const HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
} as const;

export const formOf = ({ body }: FastifyRequest): Form =>
  Object.fromEntries(new URLSearchParams(typeof body === 'string' ? body : ''));

export const answerPage = (reply: FastifyReply, page: string, status = 200): FastifyReply =>
  reply.status(status).headers(HEADERS).send(page);

/** After a form a browser goes where it can be reloaded. */
export const seeOther = (reply: FastifyReply, url: string): FastifyReply => reply.redirect(url, 303);

/** `12/34`, `12/2034`, `1234`. Nonsense becomes month 0, which no card has. */
export function cardOf({ number = '', expiry = '', name, email }: Form): CardInput {
  const [, month = '0', year = '0'] = /^\s*(\d{1,2})\s*\/?\s*(\d{2}|\d{4})\s*$/.exec(expiry) ?? [];
  return { number, exp_month: Number(month), exp_year: Number(year), name, email };
}

/** What is over or was never there has a page, too. */
export async function guarded(reply: FastifyReply, work: () => Promise<FastifyReply>): Promise<FastifyReply> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return answerPage(reply, overPage(error.message), error.status === 404 ? 404 : 410);
  }
}
