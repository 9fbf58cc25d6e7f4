import { element } from './dom.js';

/** Rows that are shown before the rest is asked for. */
const SHOWN = 12;

/**
 * Counts as a table whose bars are for the eye: whoever cannot see them reads the numbers. `rows` are
 * `[name, strong, weak]`; without any there is no chart.
 */
export function barChart(caption, what, rows) {
  if (rows.length === 0) return undefined;
  const most = Math.max(...rows.map(([, strong, weak = 0]) => strong + weak));
  const body = element('tbody');
  const show = (from, to) => body.append(...rows.slice(from, to).map((row) => barRow(row, most)));
  show(0, SHOWN);
  const more = element(
    'button',
    {
      type: 'button',
      click: () => {
        show(SHOWN, rows.length);
        more.remove();
      },
    },
    `Show all ${rows.length}`,
  );
  return element(
    'div',
    {},
    element(
      'table',
      { class: 'chart' },
      element('caption', {}, caption),
      element(
        'thead',
        {},
        element(
          'tr',
          {},
          element('th', { scope: 'col' }, what),
          element('th', { scope: 'col', class: 'count' }, 'Count'),
          element('td', { 'aria-hidden': 'true' }),
        ),
      ),
      body,
    ),
    rows.length > SHOWN ? more : undefined,
  );
}

function barRow([name, strong, weak = 0], most) {
  const part = (count, className) => {
    const span = element('span', { class: className });
    span.style.width = `${(100 * count) / most}%`;
    return span;
  };
  return element(
    'tr',
    {},
    element('th', { scope: 'row' }, name),
    element('td', { class: 'count' }, String(strong + weak)),
    element(
      'td',
      { 'aria-hidden': 'true' },
      element('div', { class: 'bar' }, part(strong, 'strong'), part(weak, 'weak')),
    ),
  );
}
