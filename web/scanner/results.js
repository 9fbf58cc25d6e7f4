import { barChart } from './charts.js';
import { readCsv } from './csv.js';
import { element, readable } from './dom.js';
import { eventsTable } from './events.js';

const NO_PLACE = '(no place named)';
/** Sequences that are shown at first, and at most; the CSV has all of them. */
const SHOWN = 10;
const MOST = 500;

/** Everything that was found in a file. */
export function results(name, answer, { categories: known, window: usual }, report, onRemoved) {
  const { categories = known, window_size: window = usual } = answer;
  const events = readCsv(answer.events_csv).map(eventOf);
  const sequences = readCsv(answer.sequences_csv);
  const names = Object.keys(categories);
  // An export of a chat names no places.
  const placed = events.some(({ context }) => context !== NO_PLACE);
  const heading = element('h2', { tabindex: '-1' }, name);
  const article = element(
    'article',
    {},
    heading,
    element('p', { class: 'total' }, total(answer)),
    (answer.notices ?? []).map((notice) => element('p', { class: 'faint' }, notice)),
    element('p', { class: 'faint' }, readAs(answer)),
    downloads(name, answer, report, () => {
      article.remove();
      onRemoved();
    }),
  );
  if (events.length > 0) {
    article.append(
      element(
        'p',
        {},
        element('span', { class: 'key' }, 'phrase '),
        element('span', { class: 'key weak' }, 'single word'),
      ),
      element(
        'div',
        { class: 'charts' },
        barChart('By category', 'Category', byCategory(events, names)),
        placed
          ? barChart(
              'By context',
              'Place and year',
              countsOf(events, (event) => event.context),
            )
          : undefined,
        barChart(
          'By speaker',
          'Speaker',
          countsOf(events, ({ speaker }) => speaker || '(nobody named)'),
        ),
        barChart('By time', 'Month or year', byTime(answer.timeline ?? [], names)),
      ),
      element('details', {}, element('summary', {}, 'What the categories mean'), meanings(categories)),
      sequencesTable(sequences, window, placed),
      eventsTable(events, names, placed),
    );
  }
  return article;
}

function eventOf(row) {
  return {
    entry: row.raw_block_index,
    context: contextOf(row),
    speaker: row.speaker,
    hits: row.strengths.split(';').map((hit) => {
      const [name, strength] = hit.split(':');
      return { name, strong: strength === 'PHRASE' };
    }),
    text: row.text.replaceAll('\\n', '\n'),
  };
}

/** Everything before the first place with a year, and all of a chat's export. */
function contextOf({ context_key: key }) {
  return key === 'UNANCHORED' ? NO_PLACE : key;
}

function total({ total_events: events, total_entries: entries, repeated_entries: repeated }) {
  const found = events === 1 ? '1 entry with findings' : `${events} entries with findings`;
  const again = repeated > 0 ? `, ${repeated} of them repetitions that count once` : '';
  return events === 0
    ? `Nothing was found in ${entries} entries.`
    : `${found}, of ${entries} in all${again}.`;
}

const FORMATS = {
  text: 'plain text, entries being paragraphs',
  whatsapp: 'a WhatsApp export',
  telegram: 'a Telegram export',
  csv: 'CSV with named columns',
};

function readAs({ read_as: { format, encoding, languages } }) {
  const names = new Intl.DisplayNames(['en'], { type: 'language' });
  const rules = languages.map((language) => names.of(language)).join(', ');
  return `Read as ${FORMATS[format] ?? format}, in ${encoding.toUpperCase()}, by the rules for ${rules}.`;
}

function byCategory(events, names) {
  return names
    .map((name) => {
      const hits = events.flatMap((event) => event.hits.filter((hit) => hit.name === name));
      const strong = hits.filter((hit) => hit.strong).length;
      return [readable(name), strong, hits.length - strong];
    })
    .sort((a, b) => b[1] + b[2] - a[1] - a[2]);
}

function countsOf(events, keyOf) {
  const counts = new Map();
  for (const event of events) counts.set(keyOf(event), (counts.get(keyOf(event)) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]);
}

function byTime(timeline, names) {
  return timeline.map((period) => [period.period, names.reduce((sum, name) => sum + period[name], 0)]);
}

function meanings(categories) {
  return element(
    'dl',
    {},
    Object.entries(categories).flatMap(([name, meaning]) => [
      element('dt', {}, readable(name)),
      element('dd', {}, meaning),
    ]),
  );
}

function sequencesTable(sequences, window, placed) {
  if (sequences.length === 0) {
    return element('p', {}, `Sequences: none, of two such entries within ${window} in the same context.`);
  }
  const row = ({ sequence, from_excerpt: from, to_excerpt: to, ...where }) =>
    element(
      'tr',
      {},
      element('td', {}, sequence.split(' -> ').map(readable).join(' → ')),
      placed ? element('td', { 'data-label': 'Where' }, contextOf(where)) : undefined,
      element('td', { 'data-label': 'First', class: 'text' }, from.replaceAll('\\n', '\n')),
      element('td', { 'data-label': 'Then', class: 'text' }, to.replaceAll('\\n', '\n')),
    );
  const body = element('tbody', {}, sequences.slice(0, SHOWN).map(row));
  const more = element(
    'button',
    {
      type: 'button',
      click: () => {
        body.append(...sequences.slice(SHOWN, MOST).map(row));
        more.remove();
      },
    },
    sequences.length > MOST ? `Show the first ${MOST}` : `Show all ${sequences.length}`,
  );
  return element(
    'div',
    {},
    element(
      'table',
      { class: 'cards' },
      element('caption', {}, `Sequences: ${sequences.length}`),
      element(
        'thead',
        {},
        element(
          'tr',
          {},
          ['What follows what', ...(placed ? ['Where'] : []), 'First', 'Then'].map((name) =>
            element('th', { scope: 'col' }, name),
          ),
        ),
      ),
      body,
    ),
    sequences.length > SHOWN ? more : undefined,
  );
}

/** Made when it is asked for. */
function pdf(name, report) {
  const button = element('button', { type: 'button' }, 'report.pdf');
  button.addEventListener('click', async () => {
    button.disabled = true;
    try {
      const url = URL.createObjectURL(await report());
      element('a', { href: url, download: name }).click();
      // Some browsers begin a download a moment later.
      setTimeout(() => URL.revokeObjectURL(url), 60_000);
      button.textContent = 'report.pdf';
    } catch (refused) {
      button.textContent = refused.message;
    }
    button.disabled = false;
  });
  return button;
}

/** What is kept of an answer stands in this page alone, until it is removed or left. */
function downloads(name, answer, report, remove) {
  const base = name.replace(/\.[^.]*$/, '');
  const urls = [];
  const file = (suffix, type, content) => {
    const url = URL.createObjectURL(new Blob([content], { type }));
    urls.push(url);
    return element('a', { href: url, download: `${base}-${suffix}` }, suffix);
  };
  return element(
    'p',
    { class: 'downloads' },
    file('events.csv', 'text/csv', answer.events_csv),
    file('sequences.csv', 'text/csv', answer.sequences_csv),
    file('contexts.csv', 'text/csv', answer.context_summary_csv),
    file('summary.txt', 'text/plain', answer.summary_text),
    file('all.json', 'application/json', JSON.stringify(answer)),
    pdf(`${base}-report.pdf`, report),
    element(
      'button',
      {
        type: 'button',
        class: 'remove',
        'aria-label': `Delete the results of ${name}`,
        click: () => {
          for (const url of urls) URL.revokeObjectURL(url);
          remove();
        },
      },
      'Delete results',
    ),
  );
}
