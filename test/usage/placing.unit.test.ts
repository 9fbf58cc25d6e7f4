import { placeUse } from '../../src/usage/reports/placing.js';

const HALF_HOUR = 30 * 60_000;
const ANCHOR = Date.parse('2027-01-31T12:00:00Z');
const END = Date.parse('2027-02-28T12:00:00Z');
const ended = { billing: ANCHOR, terms: 4, at: END };
const PART = `month:${ANCHOR}:0:4`;

describe('a use that is reported once its subscription has ended', () => {
  it('is billed with the period in which it was used', () => {
    const placed = placeUse(END - 1_000, END + 60_000, undefined, HALF_HOUR, ended);
    expect(placed.periods).toContain(PART);
    expect(placed.late).toBe(false);
  });

  it('is late once that is closed', () => {
    const placed = placeUse(END - 1_000, END + HALF_HOUR, undefined, HALF_HOUR, ended);
    expect(placed.periods).toContain(PART);
    expect(placed.late).toBe(true);
  });

  it.each([
    ['after the end', END, undefined],
    ['before the start', ANCHOR - 1, undefined],
    ['while another runs', END - 1_000, { billing: END, terms: 9 }],
  ])('is not billed with it where it was used %s', (_, at, anchors) => {
    const { periods } = placeUse(at, END + 60_000, anchors, HALF_HOUR, ended);
    expect(periods.filter((id) => id.startsWith(`month:${ANCHOR}:`))).toEqual([]);
  });
});
