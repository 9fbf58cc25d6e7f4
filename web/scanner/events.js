import { element, readable } from './dom.js';

/** Rows of a page. */
const PAGE = 50;

/** The events with their text, filtered by category and speaker and searched. */
export function eventsTable(events, categories, placed) {
  const speakers = [...new Set(events.map(({ speaker }) => speaker))].sort();
  const choice = (label, options) => {
    const select = element(
      'select',
      {},
      element('option', { value: '' }, 'all'),
      options.map(([value, text]) => element('option', { value }, text)),
    );
    return [select, element('label', {}, label, select)];
  };
  const [category, categoryLabel] = choice(
    'Category',
    categories.map((name) => [name, readable(name)]),
  );
  const [speaker, speakerLabel] = choice(
    'Speaker',
    speakers.map((name, at) => [String(at), name || '(nobody named)']),
  );
  const search = element('input', { type: 'search' });
  const body = element('tbody');
  const status = element('p', { role: 'status', class: 'faint' });
  const back = element('button', { type: 'button', click: () => turn(-1) }, 'Previous');
  const on = element('button', { type: 'button', click: () => turn(1) }, 'Next');
  const pages = element('div', { class: 'pages' }, back, on);
  let page = 0;

  const turn = (by) => {
    page += by;
    show();
  };
  const show = () => {
    const wanted = search.value.toLowerCase();
    const found = events.filter(
      (event) =>
        (category.value === '' || event.hits.some(({ name }) => name === category.value)) &&
        (speaker.value === '' || event.speaker === speakers[Number(speaker.value)]) &&
        (wanted === '' || event.text.toLowerCase().includes(wanted)),
    );
    const start = page * PAGE;
    body.replaceChildren(...found.slice(start, start + PAGE).map((event) => row(event, placed)));
    back.disabled = page === 0;
    on.disabled = start + PAGE >= found.length;
    pages.hidden = found.length <= PAGE;
    status.textContent =
      found.length === 0
        ? 'No entry matches.'
        : `Entries ${start + 1} to ${Math.min(start + PAGE, found.length)} of ${found.length}`;
  };
  for (const control of [category, speaker, search]) {
    control.addEventListener('input', () => {
      page = 0;
      show();
    });
  }
  show();
  return element(
    'div',
    {},
    element(
      'div',
      { class: 'filters' },
      categoryLabel,
      speakerLabel,
      element('label', {}, 'Words in the text', search),
    ),
    status,
    element(
      'table',
      { class: 'cards' },
      element('caption', {}, 'Entries with findings'),
      element(
        'thead',
        {},
        element(
          'tr',
          {},
          ['Entry', ...(placed ? ['Where'] : []), 'Who', 'Found', 'Text'].map((name) =>
            element('th', { scope: 'col' }, name),
          ),
        ),
      ),
      body,
    ),
    pages,
  );
}

function row({ entry, context, speaker, hits, text }, placed) {
  return element(
    'tr',
    {},
    element('td', { 'data-label': 'Entry' }, entry),
    placed ? element('td', { 'data-label': 'Where' }, context) : undefined,
    speaker === '' ? element('td') : element('td', { 'data-label': 'Who' }, speaker),
    element(
      'td',
      {},
      hits.map(({ name, strong }) =>
        element(
          'span',
          { class: strong ? 'tag' : 'tag weak' },
          `${readable(name)}${strong ? '' : ' (word)'}`,
        ),
      ),
    ),
    element('td', { class: 'text' }, text),
  );
}
