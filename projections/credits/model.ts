import type { AccountEvent } from '../../src/accounts/events.js';
import type { CreditEvent, Standing } from '../../src/credits/events.js';
import { as } from '../../src/eventsourcing/event.js';
import type { ReadModel } from '../../src/following/readModel.js';
import type { Statement } from '../../src/sql/sql.js';

type Deleted = Extract<AccountEvent, { type: 'AccountDeleted' }>;

/** The credits of accounts, and what of them is still to be done. */
export const credits: ReadModel = {
  name: 'credits',
  version: 5,
  awaited: false,
  tables: ['accounts', 'grants', 'purchases', 'refunds', 'top_ups'],
  handles: new Set<(CreditEvent | Deleted)['type']>([
    'CreditsGranted',
    'CreditsDrawn',
    'CreditDrawReversed',
    'CreditsSpent',
    'CreditsReturned',
    'CreditsExpired',
    'CreditsVoided',
    'CreditsWithdrawn',
    'CreditsReinstated',
    'CreditRefundRequested',
    'CreditsRefunded',
    'CreditRefundFailed',
    'CreditRefundReversed',
    'CreditPurchaseRequested',
    'CreditPurchaseOpened',
    'CreditPurchaseEnded',
    'CreditTopUpSet',
    'AccountDeleted',
  ]),
  create: (t) => `
    CREATE TABLE ${t('accounts')} (
      account_id  text PRIMARY KEY,
      -- What was taken back after it had been spent.
      debt        bigint NOT NULL,
      -- Units that were paid in the billing period that ends at drawn_until, by meter.
      drawn       jsonb NOT NULL DEFAULT '{}',
      drawn_until timestamptz,
      revision    bigint NOT NULL
    );
    CREATE TABLE ${t('grants')} (
      account_id  text NOT NULL,
      grant_id    text NOT NULL,
      remaining   bigint NOT NULL,
      expires_at  timestamptz,
      PRIMARY KEY (account_id, grant_id)
    );
    CREATE TABLE ${t('purchases')} (
      purchase_id text PRIMARY KEY,
      account_id  text NOT NULL,
      session     text
    );
    -- Accounts that buy credits without being asked each time.
    CREATE TABLE ${t('top_ups')} (
      account_id  text PRIMARY KEY
    );
    CREATE TABLE ${t('refunds')} (
      grant_id    text PRIMARY KEY,
      account_id  text NOT NULL
    );`,
  indexes: (t) => [`CREATE INDEX ON ${t('grants')} (expires_at) WHERE remaining > 0`],
  fold: (events, t) => {
    const standing = (accountId: string, revision: number, { remainders, debt }: Standing): Statement[] => [
      {
        text: `INSERT INTO ${t('accounts')} (account_id, debt, revision) VALUES ($1, $2, $3)
               ON CONFLICT (account_id) DO UPDATE SET debt = excluded.debt, revision = excluded.revision`,
        params: [accountId, debt, revision],
      },
      {
        text: `UPDATE ${t('grants')} SET remaining = coalesce(($2::jsonb ->> grant_id)::bigint, 0)
                WHERE account_id = $1`,
        params: [
          accountId,
          JSON.stringify(
            Object.fromEntries(remainders.map(({ grantId, remaining }) => [grantId, remaining])),
          ),
        ],
      },
    ];
    const noTopUp = (accountId: string): Statement => ({
      text: `DELETE FROM ${t('top_ups')} WHERE account_id = $1`,
      params: [accountId],
    });
    return events.flatMap((stored): Statement[] => {
      const { type, data } = as<CreditEvent | Deleted>(stored);
      const { streamId: accountId, revision } = stored;
      switch (type) {
        case 'CreditsGranted':
          return [
            {
              text: `INSERT INTO ${t('grants')} VALUES ($1, $2, 0, $3)`,
              params: [accountId, data.grantId, data.expiresAt],
            },
            { text: `DELETE FROM ${t('purchases')} WHERE purchase_id = $1`, params: [data.grantId] },
            ...standing(accountId, revision, data),
          ];
        case 'CreditsDrawn': {
          const { meter, units, until } = data;
          return [
            ...standing(accountId, revision, data),
            {
              text: `UPDATE ${t('accounts')} SET
                       drawn = CASE WHEN drawn_until = $4::timestamptz
                         THEN drawn || jsonb_build_object($2::text, coalesce((drawn ->> $2::text)::bigint, 0) + $3::bigint)
                         ELSE jsonb_build_object($2::text, $3::bigint) END,
                       drawn_until = $4
                      WHERE account_id = $1 AND (drawn_until IS NULL OR drawn_until <= $4)`,
              params: [accountId, meter, units, until],
            },
          ];
        }
        case 'CreditDrawReversed': {
          const { meter, units, until } = data;
          return [
            ...standing(accountId, revision, data),
            {
              text: `UPDATE ${t('accounts')} SET
                       drawn = drawn || jsonb_build_object($2::text, (drawn ->> $2::text)::bigint - $3::bigint)
                      WHERE account_id = $1 AND drawn_until = $4`,
              params: [accountId, meter, units, until],
            },
          ];
        }
        case 'CreditsSpent':
        case 'CreditsReturned':
        case 'CreditsExpired':
        case 'CreditsVoided':
        case 'CreditsWithdrawn':
        case 'CreditsReinstated':
        case 'CreditRefundReversed':
          return standing(accountId, revision, data);
        case 'CreditsRefunded':
          return [
            // Where more was asked for, that is still to be done.
            ...(data.partial === true
              ? []
              : [{ text: `DELETE FROM ${t('refunds')} WHERE grant_id = $1`, params: [data.grantId] }]),
            ...standing(accountId, revision, data),
          ];
        case 'CreditRefundRequested':
          return [
            {
              text: `INSERT INTO ${t('refunds')} VALUES ($1, $2) ON CONFLICT DO NOTHING`,
              params: [data.grantId, accountId],
            },
          ];
        case 'CreditRefundFailed':
          return [{ text: `DELETE FROM ${t('refunds')} WHERE grant_id = $1`, params: [data.grantId] }];
        case 'CreditPurchaseRequested':
          return [
            {
              text: `INSERT INTO ${t('purchases')} VALUES ($1, $2, NULL)`,
              params: [data.purchaseId, accountId],
            },
          ];
        case 'AccountDeleted':
          return [noTopUp(accountId)];
        case 'CreditTopUpSet':
          return [
            data.pack === null
              ? noTopUp(accountId)
              : {
                  text: `INSERT INTO ${t('top_ups')} VALUES ($1) ON CONFLICT DO NOTHING`,
                  params: [accountId],
                },
          ];
        case 'CreditPurchaseOpened':
          return [
            {
              text: `UPDATE ${t('purchases')} SET session = $2 WHERE purchase_id = $1`,
              params: [data.purchaseId, data.session],
            },
          ];
        case 'CreditPurchaseEnded':
          return [
            { text: `DELETE FROM ${t('purchases')} WHERE purchase_id = $1`, params: [data.purchaseId] },
          ];
      }
    });
  },
};
