import type { ReadModelAccess } from '../../src/following/readModel.js';
import type { Sql } from '../../src/sql/sql.js';

/** Of one currency. Amounts are minor units; those of MRR are twelve times as much, so that years are whole. */
export interface RevenueRow {
  readonly currency: string;
  /** Accounts that pay something, and what they pay, at the end. */
  readonly paying: number;
  readonly yearly: number;
  /** What has changed of it in the time asked for. */
  readonly fresh: number;
  readonly expansion: number;
  readonly contraction: number;
  readonly churn: number;
  readonly reactivation: number;
  /** Accounts that paid when it began, and of them those that do not at its end. */
  readonly paying_before: number;
  readonly lost: number;
  readonly trials_started: number;
  readonly trials_converted: number;
  readonly invoiced: number;
  readonly one_time: number;
  /** Payments that it is the sum of. */
  readonly one_time_payments: number;
  readonly refunds: number;
  /** What banks have taken back, less what came back. */
  readonly disputed: number;
}

export class RevenueQueries {
  constructor(
    private readonly sql: Sql,
    private readonly model: ReadModelAccess,
  ) {}

  /** By currency, from one moment (inclusive) to another (exclusive). */
  between(from: Date, to: Date): Promise<RevenueRow[]> {
    return this.sql.query<RevenueRow & Record<string, unknown>>(
      `WITH facts AS (
         SELECT * FROM ${this.model.t('facts')} WHERE at < $2
       ), recurring AS (
         -- What is changed in a trial is not paid for yet.
         SELECT f.position, f.place, f.event, f.at, f.account_id, f.amount, f.currency
           FROM facts f
          WHERE kind = 'recurring'
            AND NOT EXISTS (
              SELECT FROM facts t
               WHERE t.account_id = f.account_id AND t.kind = 'trial_started' AND t.position < f.position
                 AND NOT EXISTS (SELECT FROM facts c
                                  WHERE c.account_id = f.account_id
                                    -- It is paid for from then on, or has ended: no currency is an end.
                                    AND (c.kind = 'trial_converted' OR c.kind = 'recurring' AND c.currency IS NULL)
                                    AND c.position > t.position AND c.position <= f.position))
       ), steps AS (
         SELECT account_id, at, amount,
                coalesce(lag(amount) OVER o, 0) AS before,
                coalesce(max(amount) OVER (o ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) > 0 AS ever,
                coalesce(currency, lag(currency) OVER o) AS currency,
                lead(account_id) OVER o IS NULL AS last
           FROM recurring WINDOW o AS (PARTITION BY account_id ORDER BY position, event, place)
       ), before AS (
         SELECT DISTINCT ON (account_id) account_id, amount, currency
           FROM steps WHERE at < $1 ORDER BY account_id, at DESC, last DESC
       ), money AS (
         SELECT currency,
                coalesce(sum(amount) FILTER (WHERE kind = 'invoiced'), 0) AS invoiced,
                coalesce(sum(amount) FILTER (WHERE kind = 'one_time'), 0) AS one_time,
                count(*) FILTER (WHERE kind = 'one_time') AS one_time_payments,
                coalesce(sum(amount) FILTER (WHERE kind = 'refund'), 0) AS refunds,
                coalesce(sum(amount) FILTER (WHERE kind = 'dispute'), 0) AS disputed,
                count(*) FILTER (WHERE kind = 'trial_started') AS trials_started,
                count(*) FILTER (WHERE kind = 'trial_converted') AS trials_converted
           FROM facts WHERE at >= $1 AND kind <> 'recurring' GROUP BY currency
       ), moves AS (
         SELECT currency,
                count(*) FILTER (WHERE last AND amount > 0) AS paying,
                coalesce(sum(amount) FILTER (WHERE last), 0) AS yearly,
                coalesce(sum(amount - before) FILTER (WHERE at >= $1 AND before = 0 AND amount > 0 AND NOT ever), 0) AS fresh,
                coalesce(sum(amount - before) FILTER (WHERE at >= $1 AND before = 0 AND amount > 0 AND ever), 0) AS reactivation,
                coalesce(sum(amount - before) FILTER (WHERE at >= $1 AND before > 0 AND amount > before), 0) AS expansion,
                coalesce(sum(before - amount) FILTER (WHERE at >= $1 AND amount > 0 AND amount < before), 0) AS contraction,
                coalesce(sum(before) FILTER (WHERE at >= $1 AND before > 0 AND amount = 0), 0) AS churn
           FROM steps GROUP BY currency
       ), kept AS (
         SELECT b.currency, count(*) AS paying_before,
                count(*) FILTER (WHERE (SELECT s.amount FROM steps s WHERE s.account_id = b.account_id AND s.last) = 0) AS lost
           FROM before b WHERE b.amount > 0 GROUP BY b.currency
       )
       SELECT currency,
              coalesce(paying, 0)::bigint AS paying, coalesce(yearly, 0)::bigint AS yearly,
              coalesce(fresh, 0)::bigint AS fresh, coalesce(expansion, 0)::bigint AS expansion,
              coalesce(contraction, 0)::bigint AS contraction, coalesce(churn, 0)::bigint AS churn,
              coalesce(reactivation, 0)::bigint AS reactivation,
              coalesce(paying_before, 0)::bigint AS paying_before, coalesce(lost, 0)::bigint AS lost,
              coalesce(trials_started, 0)::bigint AS trials_started,
              coalesce(trials_converted, 0)::bigint AS trials_converted,
              coalesce(invoiced, 0)::bigint AS invoiced, coalesce(one_time, 0)::bigint AS one_time,
              coalesce(one_time_payments, 0)::bigint AS one_time_payments,
              coalesce(refunds, 0)::bigint AS refunds, coalesce(disputed, 0)::bigint AS disputed
         FROM moves FULL JOIN money USING (currency) FULL JOIN kept USING (currency)
        WHERE currency IS NOT NULL ORDER BY currency`,
      [from, to],
    );
  }
}
