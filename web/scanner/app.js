import { analyze, report } from './analyze.js';
import { element } from './dom.js';
import { results } from './results.js';

const part = (id) => document.getElementById(id);
const form = part('form');
const error = part('error');
const status = part('status');

const settings = await fetch('/demo/settings.json').then((response) => response.json());
describe(settings);

/** Chosen files that are not analysed yet, with the line that shows each. */
let chosen = [];

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
  void analyseAll();
});

function describe({ title, link, extensions, maxBytes, price, paymentRequired, ...lists }) {
  document.title = title;
  part('title').textContent = title;
  part('link').href = link;
  part('link').textContent = link;
  const money = new Intl.NumberFormat('en', { style: 'currency', currency: price.currency });
  part('price').textContent = paymentRequired
    ? `An analysis costs ${money.format(price.amount / 100)} for each file.`
    : 'Analyses are free here.';
  part('payment').hidden = !paymentRequired;
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
  error.textContent = '';
  for (const file of files) {
    const wrong = problem(file);
    if (wrong) {
      error.textContent = wrong;
      continue;
    }
    const progress = element('progress', { max: '1', value: '0', 'aria-label': `Progress of ${file.name}` });
    const item = { file, progress };
    item.line = element(
      'li',
      {},
      element('span', { class: 'name' }, file.name),
      element('span', { class: 'faint' }, size(file.size)),
      progress,
      element(
        'button',
        {
          type: 'button',
          'aria-label': `Remove ${file.name}`,
          click: () => {
            chosen = chosen.filter((other) => other !== item);
            item.line.remove();
            part('files').focus();
          },
        },
        'Remove',
      ),
    );
    chosen.push(item);
    part('list').append(item.line);
  }
  status.textContent = chosen.length === 1 ? '1 file chosen.' : `${chosen.length} files chosen.`;
}

function problem({ name, size: bytes }) {
  if (!settings.extensions.some((extension) => name.toLowerCase().endsWith(extension))) {
    return `${name} is not of an allowed type: ${settings.extensions.join(', ')}.`;
  }
  if (bytes > settings.maxBytes) return `${name} is larger than ${size(settings.maxBytes)}.`;
  return undefined;
}

async function analyseAll() {
  error.textContent = '';
  if (chosen.length === 0) {
    error.textContent = 'Choose a file first.';
    part('files').focus();
    return;
  }
  part('start').disabled = true;
  const fields = Object.fromEntries(
    ['format', 'language', 'encoding', 'payment_intent_id'].map((name) => [name, form.elements[name].value]),
  );
  let first;
  for (const item of [...chosen]) {
    const { file, progress, line } = item;
    status.textContent = `Sending ${file.name} …`;
    try {
      const answer = await analyze(file, fields, (sent) => {
        if (sent < 1) progress.value = sent;
        else {
          progress.removeAttribute('value');
          status.textContent = `Analysing ${file.name} …`;
        }
      });
      const { article, heading } = results(file.name, answer, settings, () => report(file, fields));
      part('results').append(article);
      first ??= heading;
      chosen = chosen.filter((other) => other !== item);
      line.remove();
    } catch (refused) {
      progress.value = 0;
      error.textContent = `${file.name}: ${refused.message}`;
      break;
    }
  }
  part('start').disabled = false;
  status.textContent = first ? 'The results are below.' : '';
  if (!error.textContent) first?.focus();
}

function size(bytes) {
  if (bytes < 1024) return `${bytes} bytes`;
  return bytes < 1024 * 1024 ? `${Math.round(bytes / 1024)} KB` : `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}
