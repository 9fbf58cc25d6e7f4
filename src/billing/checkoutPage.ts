import { moneyText } from '../money/money.js';
import { escapeHtml } from '../text/html.js';
import type { PaidPage } from './payments.js';

/** What a customer reads who comes back from a page on which something was to be paid. */
export interface CheckoutResult {
  readonly title: string;
  readonly paragraphs: readonly string[];
  readonly links: readonly { readonly href: string; readonly text: string }[];
  /** After so many seconds the page is looked at again. */
  readonly refresh?: number;
}

/** What is known here of what was paid. */
export type Outcome =
  /** It is in force, or granted. */
  | { readonly kind: 'done'; readonly name: string; readonly trialEndsAt?: string | undefined }
  /** Stripe has told, and it is acted on in a moment. */
  | { readonly kind: 'waiting' }
  /** It has ended at once, and what was paid is given back. */
  | { readonly kind: 'refused' }
  /** It had begun, and is over. */
  | { readonly kind: 'ended' };

const CLOSE = 'You can close this page.';
const AGAIN = 'You can close this page, and start again where you came from.';
/** Looked at again while it is acted on, and while a bank has not confirmed it, in seconds. */
const SOON = 3;
const LATER = 30;

/** Whoever went back without paying, or comes back from the page for cards and invoices. */
export const BACK: CheckoutResult = {
  title: 'You are back',
  paragraphs: [
    'If you went back from a payment, nothing was paid. What you have changed in billing takes effect within a few seconds.',
    CLOSE,
  ],
  links: [],
};

export const UNKNOWN: CheckoutResult = {
  title: 'No such payment',
  paragraphs: ['There is no such payment here. The address may be incomplete.', AGAIN],
  links: [],
};

export const UNAVAILABLE: CheckoutResult = {
  title: 'One moment',
  paragraphs: [
    'The payment service does not answer, so it cannot be said yet whether this was paid. Do not pay again: this page looks again by itself.',
  ],
  links: [],
  refresh: SOON * 2,
};

/** @param invoice where the invoice stands, once there is one */
export function resultOf(
  page: PaidPage,
  outcome: Outcome | undefined,
  invoice: string | undefined,
): CheckoutResult {
  const total = moneyText(page.total);
  const links = invoice === undefined ? [] : [{ href: invoice, text: 'Invoice' }];
  if (page.status === 'open') {
    return {
      title: 'Not paid yet',
      paragraphs: [`Nothing was paid yet. ${total} are due.`],
      links: page.url === null ? [] : [{ href: page.url, text: 'Go on to pay' }],
    };
  }
  if (page.status === 'expired') {
    return {
      title: 'Not paid in time',
      paragraphs: ['The page was open for too long, so it was closed. Nothing was paid.', AGAIN],
      links: [],
    };
  }
  if (page.failed) {
    return {
      title: 'The payment has failed',
      paragraphs: ['Your bank has refused the payment. Nothing was paid.', AGAIN],
      links: [],
    };
  }
  if (!page.paid) {
    return {
      title: 'The payment is being confirmed',
      paragraphs: [
        `Your bank has not confirmed ${total} yet. With some ways to pay that takes days. Do not pay again: it goes on by itself.`,
        CLOSE,
      ],
      links,
      refresh: LATER,
    };
  }
  if (!outcome || outcome.kind === 'waiting') {
    return {
      title: 'The payment is being confirmed',
      paragraphs: ['You have paid. It takes effect within a few seconds: this page looks again by itself.'],
      links,
      refresh: SOON,
    };
  }
  if (outcome.kind === 'refused') {
    return {
      title: 'The subscription has not begun',
      paragraphs: [
        'It was ended at once: each card has one trial, and each account one subscription. What was paid is given back; a mail says more.',
        'If the card has had its trial with another account, start again where you came from: the plan is charged at once then.',
      ],
      links,
    };
  }
  if (outcome.kind === 'ended') {
    return { title: 'This subscription has ended', paragraphs: [CLOSE], links };
  }
  const { name, trialEndsAt } = outcome;
  const began =
    trialEndsAt === undefined
      ? `${total} are paid: ${name}.`
      : `Your trial of ${name} has begun. It ends on ${trialEndsAt.slice(0, 10)}, and ${name} is charged from then on.`;
  return {
    title: trialEndsAt === undefined ? 'Paid' : 'Your trial has begun',
    paragraphs: [began, CLOSE],
    links,
  };
}

/** A page without a script: it loads itself again where there is something to wait for. */
export function checkoutHtml(product: string, result: CheckoutResult): string {
  const e = escapeHtml;
  const { title, paragraphs, links, refresh } = result;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta name="color-scheme" content="light dark">
${refresh === undefined ? '' : `<meta http-equiv="refresh" content="${refresh}">\n`}<title>${e(title)} – ${e(product)}</title>
<style>
:root { --text: #1b1f24; --faint: #57606a; --ground: #fff; --accent: #0b5cad; font: 16px/1.5 system-ui, sans-serif; color: var(--text); background: var(--ground) }
@media (prefers-color-scheme: dark) { :root { --text: #e6edf3; --faint: #9aa5b1; --ground: #0f1419; --accent: #6cb2ff } }
body { max-width: 40rem; margin: 2rem auto; padding: 0 1rem } h1 { line-height: 1.2 } header { color: var(--faint) } a { color: var(--accent) }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px }
</style>
</head>
<body>
<header>${e(product)}</header>
<main>
<h1>${e(title)}</h1>
${paragraphs.map((text) => `<p>${e(text)}</p>`).join('\n')}
${links.map(({ href, text }) => `<p><a href="${e(href)}">${e(text)}</a></p>`).join('\n')}
</main>
</body>
</html>
`;
}
