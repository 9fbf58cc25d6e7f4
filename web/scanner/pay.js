import { sentence } from './analyze.js';

/** From one look at a page to the next, in milliseconds. */
const LOOK_MS = 2_000;

/** Opens a page on which so many files are paid. Rejects with an Error whose message is for people. */
export async function openCheckout(files) {
  const response = await fetch('/create-checkout', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ files }),
  });
  const body = await response.json().catch(() => ({}));
  if (response.ok && body.url) return body;
  throw new Error(sentence(body.detail, response.status));
}

/** The payment, once the page is paid; undefined where it was not, or nobody wants it any more. */
export async function paidOn(checkoutId, unwanted) {
  while (!unwanted.aborted) {
    const response = await fetch(`/checkout?checkout_id=${encodeURIComponent(checkoutId)}`).catch(
      () => undefined,
    );
    if (response?.ok) {
      const { status, payment_intent_id: payment } = await response.json();
      if (payment) return payment;
      if (status === 'expired') return undefined;
    }
    await look(unwanted);
  }
  return undefined;
}

/** Whoever comes back from the page should not have to wait. */
function look(unwanted) {
  return new Promise((resolve) => {
    const timer = setTimeout(done, LOOK_MS);
    function done() {
      clearTimeout(timer);
      removeEventListener('focus', done);
      unwanted.removeEventListener('abort', done);
      resolve();
    }
    addEventListener('focus', done);
    unwanted.addEventListener('abort', done);
  });
}
