import type { Tables } from '../../src/following/readModel.js';
import { phaseNumber } from '../../src/usage/events.js';
import { cellParts } from './cells.js';
import { timeParts } from './times.js';

const [RESERVED, FINAL] = [phaseNumber('reserved'), phaseNumber('final')];

/**
 * The parts of a statement that add `changes` up: those have `sign`, `phase`, `account`, `environment`,
 * `duration_us`, `meters`, `periods`, `subjects` and the columns of `cellColumns` and `timeColumns`. What is reserved
 * is held; only of what is final back ends say how long it took.
 */
export const countedParts = (t: Tables): string => `
  sums AS (
    SELECT s.subject, m.meter, p.period, sum(c.sign * m.amount::numeric) AS amount, c.phase = ${RESERVED} AS held
      FROM changes c, jsonb_array_elements_text(c.subjects) AS s(subject), jsonb_each_text(c.meters) AS m(meter, amount),
           jsonb_array_elements_text(c.periods) AS p(period)
     GROUP BY 1, 2, 3, 5
    HAVING sum(c.sign * m.amount::numeric) <> 0
  ), counters AS (
    INSERT INTO ${t('counters')} AS k
    SELECT subject, meter, period, coalesce(sum(amount) FILTER (WHERE NOT held), 0),
           coalesce(sum(amount) FILTER (WHERE held), 0)
      FROM sums GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    ON CONFLICT (subject, meter, period)
       DO UPDATE SET amount = k.amount + excluded.amount, held = k.held + excluded.held
  ), ${cellParts(t, `phase <> ${RESERVED}`)},${timeParts(t, `phase >= ${FINAL}`)}`;

/** Takes away counters at which nothing is left, behind `of_uses`: the meters, periods and subjects of uses. */
export const emptyCounter = (t: Tables): string => `
  counters_of_uses AS (
    SELECT DISTINCT s.subject, m.meter, p.period
      FROM of_uses u, jsonb_array_elements_text(u.subjects) AS s(subject), jsonb_object_keys(u.meters) AS m(meter),
           jsonb_array_elements_text(u.periods) AS p(period)
  )
  DELETE FROM ${t('counters')} AS c USING counters_of_uses AS g
   WHERE c.subject = g.subject AND c.meter = g.meter AND c.period = g.period AND c.amount = 0 AND c.held = 0`;
