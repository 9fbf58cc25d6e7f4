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
const price = money.format(settings.price.amount / 10 ** money.resolvedOptions().maximumFractionDigits);
describe(settings);

/** Chosen files that are not analysed yet. */
let chosen = [];
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
    ? `An analysis costs ${price} for each file. A paid file is stored encrypted until it is analysed, and nobody can read it afterwards.`
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
    const problem = problemOf(file);
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

function count() {
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
  // A payment that was made elsewhere is good for one file.
  const [first] = waiting;
  first.payment ??= form.elements['payment_intent_id'].value.trim() || undefined;
  form.elements['payment_intent_id'].value = '';
  for (const item of waiting) {
    item.busy = true;
    if (settings.paymentRequired && !item.payment) void pay(item, item === first);
    else enqueue(item);
  }
}

/** Each file is paid on a page of its own; it is sent once that is done. */
async function pay(item, focused) {
  try {
    item.says('Opening the payment …');
    const { checkout_id: checkout, url } = await openCheckout();
    const link = element(
      'a',
      { class: 'pay', href: url, target: '_blank', rel: 'noopener' },
      `Pay ${price}`,
      element('span', { class: 'away' }, ` for ${item.file.name} (opens a page of its own)`),
    );
    item.says(link, ' It is analysed here as soon as it is paid.');
    status.textContent = 'Pay for each file on the page that its link opens.';
    if (focused) link.focus();
    item.payment = await paidOn(checkout, item.removed);
    if (item.removed.aborted) return;
    if (item.payment) return enqueue(item);
    item.fails('The payment was not made in time. Start again.');
  } catch (refused) {
    item.fails(refused.message);
  }
  item.busy = false;
}

function enqueue(item) {
  item.says('Waits for the files before it.');
  queue = queue.then(() => analyse(item));
}

async function analyse(item) {
  const { file, payment } = item;
  if (item.removed.aborted) return;
  const fields = {
    ...Object.fromEntries(
      ['format', 'language', 'encoding'].map((name) => [name, form.elements[name].value]),
    ),
    payment_intent_id: payment,
  };
  item.says('Sending …');
  try {
    const answer = await analyze(file, fields, (sent) => {
      item.progress(sent < 1 ? sent : undefined);
      if (sent >= 1) item.says('Analysing …');
    });
    const { article, heading } = results(
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
    if (!chosen.some(({ busy }) => busy)) heading.focus();
  } catch (refused) {
    item.busy = false;
    if (!payment) return item.fails(refused.message);
    if (refused.paidBack) item.payment = undefined;
    item.fails(
      refused.paidBack
        ? `${refused.message} What was paid goes back.`
        : `${refused.message} The payment ${payment} stays good for this file: start again.`,
    );
  }
}
