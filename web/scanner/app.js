import { analyze, report } from './analyze.js';
import { element } from './dom.js';
import { ChosenFile, size } from './files.js';
import { openCheckout, paidOn } from './pay.js';
import { results } from './results.js';

const part = (id) => document.getElementById(id);
const form = part('form');
const error = part('error');
const status = part('status');

const settings = await fetch('/demo/settings.json').then((response) => response.json());
const money = new Intl.NumberFormat('en', { style: 'currency', currency: settings.price.currency });
const priceOf = (files) =>
  money.format((files * settings.price.amount) / 10 ** money.resolvedOptions().maximumFractionDigits);
describe(settings);

/** A file that comes too soon is sent again by itself after so many seconds at most. */
const LONGEST_WAIT = 90;

/** Chosen files that are not analysed yet. */
let chosen = [];
/** Payments of files that were removed before they were sent, one entry for each: they pay for others. */
const spare = [];
/** One file after the other is sent. */
let queue = Promise.resolve();

part('files').addEventListener('change', ({ target }) => {
  choose(target.files);
  target.value = '';
});
for (const [event, over] of [
  ['dragover', true],
  ['dragleave', false],
  ['drop', false],
]) {
  part('drop').addEventListener(event, (dropped) => {
    dropped.preventDefault();
    part('drop').classList.toggle('over', over);
    if (event === 'drop') choose(dropped.dataTransfer.files);
  });
}
form.addEventListener('submit', (submitted) => {
  submitted.preventDefault();
  start();
});

function describe({ title, link, extensions, maxBytes, paymentRequired, ...lists }) {
  document.title = title;
  part('title').textContent = title;
  part('link').href = link;
  part('link').textContent = link;
  part('price').textContent = paymentRequired
    ? `An analysis costs ${priceOf(1)} for each file; several files are paid together. A paid file is stored encrypted until it is analysed, and nobody can read it afterwards.`
    : 'Analyses are free here. The file is read in memory and never stored.';
  part('payment').hidden = !paymentRequired;
  part('start').textContent = paymentRequired ? 'Pay and analyse' : 'Analyse';
  part('files').accept = extensions.join();
  part('limits').textContent = `${extensions.join(', ')}, up to ${size(maxBytes)} each.`;
  for (const [name, values] of [
    ['format', lists.formats],
    ['language', lists.languages],
    ['encoding', lists.encodings],
  ]) {
    form.elements[name].append(
      ...['auto', ...values].map((value) =>
        element('option', { value }, value === 'auto' ? 'find out' : value),
      ),
    );
  }
}

function choose(files) {
  const wrong = [];
  for (const file of files) {
    const problem = problemOf(file) ?? (isChosen(file) ? `${file.name} is chosen already.` : undefined);
    if (problem) {
      wrong.push(problem);
      continue;
    }
    const item = new ChosenFile(file, () => {
      chosen = chosen.filter((other) => other !== item);
      count();
      part('files').focus();
    });
    chosen.push(item);
    part('list').append(item.line);
  }
  error.textContent = wrong.join(' ');
  count();
}

/** There is nothing to start while all files are under way. */
function offer() {
  part('start').hidden = chosen.length > 0 && chosen.every(({ busy }) => busy);
}

/** Twice the same file would be paid twice and analysed once. */
function isChosen({ name, size: bytes, lastModified }) {
  return chosen.some(
    ({ file }) => file.name === name && file.size === bytes && file.lastModified === lastModified,
  );
}

function count() {
  offer();
  status.textContent =
    chosen.length === 1 ? '1 file chosen.' : chosen.length === 0 ? '' : `${chosen.length} files chosen.`;
}

function problemOf({ name, size: bytes }) {
  if (!settings.extensions.some((extension) => name.toLowerCase().endsWith(extension))) {
    return `${name} is not of an allowed type: ${settings.extensions.join(', ')}.`;
  }
  if (bytes > settings.maxBytes) return `${name} is larger than ${size(settings.maxBytes)}.`;
  return undefined;
}

function start() {
  error.textContent = '';
  const waiting = chosen.filter(({ busy }) => !busy);
  if (waiting.length === 0) {
    error.textContent = chosen.length === 0 ? 'Choose a file first.' : '';
    if (chosen.length === 0) part('files').focus();
    return;
  }
  const given = form.elements['payment_intent_id'].value.trim() || undefined;
  form.elements['payment_intent_id'].value = '';
  const unpaid = [];
  for (const item of waiting) {
    item.busy = true;
    // For how many files a payment from elsewhere is good is said when they are sent.
    item.payment ??= given ?? spare.shift();
    if (settings.paymentRequired && !item.payment) unpaid.push(item);
    else enqueue(item);
  }
  offer();
  for (let n = 0; n < unpaid.length; n += settings.filesAtOnce) {
    void pay(unpaid.slice(n, n + settings.filesAtOnce), n === 0);
  }
}

/** Files are paid together on a page of its own; each is sent once that is done. */
async function pay(items, focused) {
  const line = element('p', {});
  // Of fewer files the price is another one.
  const changed = new AbortController();
  for (const { removed } of items) {
    removed.addEventListener('abort', () => changed.abort(), { signal: changed.signal });
  }
  try {
    for (const item of items) item.says('Opening the payment …');
    const { checkout_id: checkout, url } = await openCheckout(items.length);
    const [what, hidden] =
      items.length === 1 ? ['', ` for ${items[0].file.name}`] : [` for ${items.length} files`, ''];
    const link = element(
      'a',
      { class: 'pay', href: url, target: '_blank', rel: 'noopener' },
      `Pay ${priceOf(items.length)}${what}`,
      element('span', { class: 'away' }, `${hidden} (opens a new page)`),
    );
    line.append(link);
    part('payments').append(line);
    for (const item of items) item.says('Waits for the payment, and is analysed as soon as it is made.');
    status.textContent = 'Pay on the page that the link opens.';
    if (focused) link.focus();
    const payment = await paidOn(checkout, changed.signal);
    line.remove();
    if (payment) return paid(items, payment);
    const left = items.filter(({ removed }) => !removed.aborted);
    if (changed.signal.aborted) return left.length > 0 ? pay(left, false) : undefined;
    for (const item of items) item.fails('The payment was not made in time. Start again.');
  } catch (refused) {
    for (const item of items) item.fails(refused.message);
  }
  for (const item of items) item.busy = false;
  offer();
}

function paid(items, payment) {
  for (const item of items) {
    if (item.removed.aborted) {
      spare.push(payment);
      continue;
    }
    item.payment = payment;
    enqueue(item);
  }
  const left = spare.length === 1 ? '1 more file' : `${spare.length} more files`;
  status.textContent =
    spare.length === 0 ? 'Paid.' : `Paid. The payment ${payment} is good for ${left}: choose and start.`;
}

function enqueue(item) {
  item.says('Waits for the files before it.');
  queue = queue.then(() => analyse(item)).then(settle);
}

/** Once the last file is done, whoever uses a keyboard goes on at the results, or with what has failed. */
function settle() {
  offer();
  if (chosen.some(({ busy }) => busy)) return;
  const heading = part('results').querySelector('article:last-child h2');
  (heading ?? part('files')).focus();
}

async function analyse(item) {
  const { file, payment } = item;
  if (item.removed.aborted) return unused(item);
  const fields = {
    ...Object.fromEntries(
      ['format', 'language', 'encoding'].map((name) => [name, form.elements[name].value]),
    ),
    payment_intent_id: payment,
  };
  try {
    const answer = await sent(item, fields);
    if (!answer) return unused(item);
    const article = results(
      file.name,
      answer,
      settings,
      () => report(file, fields),
      () => {
        status.textContent = `The results of ${file.name} are gone. The server has none of them either.`;
        part('files').focus();
      },
    );
    part('results').append(article);
    chosen = chosen.filter((other) => other !== item);
    item.line.remove();
    status.textContent = `The results of ${file.name} are below.`;
  } catch (refused) {
    item.busy = false;
    if (!payment) return item.fails(refused.message);
    if (refused.paidBack || refused.unpaid) item.payment = undefined;
    if (refused.paidBack) return item.fails(`${refused.message} What was paid for it goes back.`);
    item.fails(
      refused.unpaid
        ? `${refused.message} Start again to pay for this file.`
        : `${refused.message} The payment ${payment} stays good for this file: start again.`,
    );
  }
}

/** Sends a file, again where it has come too soon. @returns undefined where it was removed meanwhile */
async function sent(item, fields) {
  for (;;) {
    item.says('Sending …');
    try {
      return await analyze(item.file, fields, (part) => {
        item.progress(part < 1 ? part : undefined);
        if (part >= 1) item.says('Analysing …');
      });
    } catch (refused) {
      if (refused.retryAfter === undefined || refused.retryAfter > LONGEST_WAIT) throw refused;
      item.progress(null);
      item.says('Waits: so many files are not taken in one minute.');
      await new Promise((resolve) => setTimeout(resolve, refused.retryAfter * 1000));
      if (item.removed.aborted) return undefined;
    }
  }
}

/** A file was removed before it was sent: another one can have its payment. */
function unused({ payment }) {
  if (payment) spare.push(payment);
}
