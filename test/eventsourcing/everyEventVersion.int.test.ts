import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { accountDecider } from '../../src/accounts/decideAccount.js';
import { emailDecider } from '../../src/accounts/decideEmail.js';
import { identityDecider } from '../../src/identities/decide.js';
import { sessionDecider } from '../../src/sessions/decideSession.js';
import { userDecider } from '../../src/accounts/decideUser.js';
import { DeletedAccounts } from '../../src/accounts/deletedAccounts.js';
import { EndedSessions } from '../../src/sessions/endedSessions.js';
import { Identities } from '../../src/identities/identities.js';
import { analysisDecider } from '../../src/analysis/decide.js';
import { ruleSetDecider } from '../../src/analysis/decideRuleSet.js';
import { PostgresEventStore } from '../../src/adapters/postgres/eventStore.js';
import { billingDecider } from '../../src/billing/decide.js';
import { invoiceDecider } from '../../src/billing/decideInvoice.js';
import { paymentDecider } from '../../src/billing/decidePayment.js';
import { trialCardDecider } from '../../src/billing/decideTrialCard.js';
import { stripeEventDecider } from '../../src/billing/decideWebhook.js';
import { refundDecider } from '../../src/billing/failedRefunds.js';
import { patternDecider } from '../../src/catalogue/decide.js';
import { creditDecider } from '../../src/credits/decide.js';
import { READ_MODELS } from '../../src/capabilities.js';
import { disputeDecider } from '../../src/disputes/decide.js';
import { correctionsDecider } from '../../src/eventsourcing/correct.js';
import type { Decider } from '../../src/eventsourcing/decider.js';
import { fold } from '../../src/eventsourcing/decider.js';
import { StoredEvent } from '../../src/eventsourcing/event.js';
import { EventReader } from '../../src/following/reader.js';
import { schemaVersionOf, UPCASTERS } from '../../src/eventsourcing/upcasting.js';
import { installationDecider } from '../../src/installation/decide.js';
import { KeyCache } from '../../src/keys/cache.js';
import { keyDecider } from '../../src/keys/decide.js';
import { mailDecider } from '../../src/mail/decide.js';
import { operatorsDecider } from '../../src/operators/decide.js';
import { Operators } from '../../src/operators/operators.js';
import { overageDecider } from '../../src/overage/decide.js';
import { profileDecider, subscriptionDecider } from '../../src/plans/decide.js';
import { PlanDirectory } from '../../src/plans/directory.js';
import { teamDecider } from '../../src/teams/decide.js';
import { parkedUseDecider, reversalDecider } from '../../src/usage/decide.js';
import { Memberships } from '../../src/teams/memberships.js';
import { deliveryDecider, endpointDecider } from '../../src/webhooks/decide.js';
import { Projector } from '../../src/following/projector.js';
import { quotaDecider } from '../../src/usage/limits/quotas.js';
import { thresholdDecider } from '../../src/usage/thresholds/thresholds.js';
import { freshSql } from '../support/database.js';

/**
 * An event of every type in every version that was ever stored, as it was stored: one history, in its
 * order. Entries are added, never changed: what is stored is read for ever.
 */
interface Entry {
  readonly stream: string;
  readonly id: string;
  readonly type: string;
  readonly data: string;
  readonly metadata: string;
}

const ENTRIES = JSON.parse(
  readFileSync(join('test', 'eventsourcing', 'everyEventVersion.json'), 'utf8'),
) as readonly Entry[];

/** Deciders by the category of their streams. The usage journal has none, nor have numbers of invoices. */
const DECIDERS: Readonly<Record<string, unknown>> = {
  account: accountDecider,
  analysis: analysisDecider,
  corrections: correctionsDecider,
  credits: creditDecider,
  dispute: disputeDecider,
  email: emailDecider,
  identity: identityDecider,
  installation: installationDecider,
  invoice: invoiceDecider,
  key: keyDecider,
  mail: mailDecider,
  operators: operatorsDecider,
  overage: overageDecider,
  parked_use: parkedUseDecider,
  use_reversal: reversalDecider,
  pattern: patternDecider,
  payment: paymentDecider,
  profile: profileDecider,
  refund: refundDecider,
  rule_set: ruleSetDecider,
  session: sessionDecider,
  stripe_event: stripeEventDecider,
  trial_card: trialCardDecider,
  // What is granted, what is paid for, and what was reset.
  subscription: {
    initial: [subscriptionDecider.initial, billingDecider.initial, quotaDecider.initial],
    evolve: ([granted, paid, resets]: [never, never, never], event: never) => [
      subscriptionDecider.evolve(granted, event),
      // It counts them, which is no mark.
      { ...billingDecider.evolve(paid, event), events: 0 },
      quotaDecider.evolve(resets, event),
    ],
  },
  team: teamDecider,
  usage_threshold: thresholdDecider,
  user: userDecider,
  webhook_delivery: deliveryDecider,
  webhook_endpoint: endpointDecider,
};
const WITHOUT_DECIDER = ['invoice_numbers', 'usage'];

/** The event types that capabilities declare: the literals of `type` in src/<capability>/events.ts. */
function declaredTypes(): string[] {
  const types = new Set<string>();
  for (const file of readdirSync('src', { recursive: true, encoding: 'utf8' })) {
    if (!/^[a-z]+[/\\]events\.ts$/.test(file)) continue;
    const text = readFileSync(join('src', file), 'utf8');
    const visit = (node: ts.Node): void => {
      if (
        ts.isPropertySignature(node) &&
        node.name.getText() === 'type' &&
        node.type &&
        ts.isLiteralTypeNode(node.type) &&
        ts.isStringLiteral(node.type.literal)
      ) {
        types.add(node.type.literal.text);
      }
      ts.forEachChild(node, visit);
    };
    visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true));
  }
  return [...types].sort();
}

const versionOf = ({ metadata }: Entry): number =>
  (JSON.parse(metadata) as { schemaVersion: number }).schemaVersion;

/** The entries as a store would hold them. */
function storedEntries(): StoredEvent[] {
  const revisions = new Map<string, number>();
  return ENTRIES.map(({ stream, id, type, data, metadata }, index) => {
    const revision = (revisions.get(stream) ?? -1) + 1;
    revisions.set(stream, revision);
    return new StoredEvent(index + 1, stream, revision, id, type, data, metadata);
  });
}

it('every event type in every version up to the newest has an entry, and there is no other', () => {
  const declared = declaredTypes();
  expect(declared.length).toBeGreaterThan(10);
  const expected = declared.flatMap((type) =>
    Array.from({ length: schemaVersionOf(type) }, (_, index) => `${type} ${index + 1}`),
  );
  const kept = new Set(ENTRIES.map((entry) => `${entry.type} ${versionOf(entry)}`));
  expect([...kept].sort()).toEqual(expected.sort());
  expect([...UPCASTERS.keys()].filter((type) => !declared.includes(type))).toEqual([]);
});

it('each is lifted to what its newest version looks like', () => {
  const shapes = new Map<string, string[]>();
  for (const event of storedEntries()) {
    const shape = Object.keys(event.data).sort();
    const known = shapes.get(event.type);
    if (known) expect([event.type, shape]).toEqual([event.type, known]);
    shapes.set(event.type, shape);
  }
});

it('each is folded by the decider of its stream', () => {
  const streams = new Map<string, StoredEvent[]>();
  for (const event of storedEntries())
    streams.set(event.stream, [...(streams.get(event.stream) ?? []), event]);
  for (const [stream, events] of streams) {
    const category = stream.slice(0, stream.indexOf('-'));
    if (WITHOUT_DECIDER.includes(category)) continue;
    const decider = DECIDERS[category] as Decider<unknown, never, never> | undefined;
    if (!decider) throw new Error(`no decider for the streams ${category}-…`);
    // Each leaves a mark on what went before it.
    let before = decider.initial;
    events.forEach((event, index) => {
      const state = fold(decider, events.slice(0, index + 1));
      expect([event.type, state]).not.toEqual([event.type, before]);
      before = state;
    });
  }
});

it('each is folded by what lives in memory', () => {
  const keys = new KeyCache(Buffer.alloc(32), ['sk_live_', 'sk_test_']);
  const plans = new PlanDirectory();
  const deleted = new DeletedAccounts();
  const ended = new EndedSessions();
  const identities = new Identities();
  const memberships = new Memberships();
  const above = new Operators();
  for (const event of storedEntries()) {
    keys.apply(event);
    plans.apply(event);
    deleted.apply(event);
    ended.apply(event);
    identities.apply(event);
    memberships.apply(event);
    above.apply(event);
    if (event.type === 'OperatorGranted')
      expect(above.has((event.data as { userId: string }).userId)).toBe(true);
  }
  const accountOf = (type: string): string =>
    ENTRIES.find((entry) => entry.type === type)?.stream.replace(/^[a-z]+-/, '') ?? '';
  expect(keys.size).toBeGreaterThan(0);
  expect(plans.version).toBeGreaterThan(0);
  expect(deleted.has(accountOf('AccountDeleted'))).toBe(true);
  expect(ended.size).toBe(2);
  expect(identities.linkOf(accountOf('IdentityLinked'))).toBeDefined();
});

it('each is folded by every read model, into the rows that are expected', async () => {
  const database = await freshSql();
  const { sql } = database;
  const store = await PostgresEventStore.open(sql);
  const errors: unknown[] = [];
  const reader = new EventReader(store);
  const projector = await Projector.open(sql, reader, READ_MODELS, (_model, error) => errors.push(error));
  try {
    for (const { stream, revision, id, type, dataText, metadataText } of storedEntries()) {
      await store.append(stream, revision - 1, [{ id, type, data: dataText, metadata: metadataText }]);
    }
    projector.start();
    expect(await projector.allReached(await store.head(), 60_000)).toBe(true);
    expect(errors).toEqual([]);
    const rows: Record<string, number> = {};
    for (const { name, tables } of READ_MODELS) {
      for (const table of tables) {
        const [row] = await sql.query<{ count: number }>(
          `SELECT count(*) AS count FROM ${projector.access(name).t(table)}`,
        );
        rows[`${name}.${table}`] = row?.count ?? 0;
      }
    }
    // Every table that is filled by events has something in it.
    expect(Object.entries(rows).filter(([, count]) => count === 0)).toEqual([]);
  } finally {
    // Also where something is missing: they would wait for more events, and nobody would see the failure.
    reader.close();
    await projector.stop();
    await database.remove();
  }
});
