import { element } from './dom.js';

const checkout = new URLSearchParams(location.search).get('checkout_id');
const response = await fetch(`/checkout?checkout_id=${encodeURIComponent(checkout ?? '')}`).catch(
  () => undefined,
);
if (response?.ok) {
  const { payment_intent_id: payment, files } = await response.json();
  const page = element('a', { href: '/demo' }, 'Open it again');
  // Phones close pages that are not looked at, and the files with them.
  if (payment) {
    document
      .getElementById('payment')
      .append(
        'Is that page closed? ',
        page,
        `, choose ${files === 1 ? 'the file' : 'the files'}, and enter this payment id under “I have paid already”: `,
        element('code', {}, payment),
      );
  }
}
