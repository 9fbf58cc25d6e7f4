import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { ConfigError } from '../../src/config.js';
import type { Limit, Plan } from '../../src/plans/profile.js';
import { aggregationsOf, featuresOf, hasFeature, MAX_AMOUNT, Profile } from '../../src/plans/profile.js';
import { readProfile } from '../../src/plans/publish.js';
import { plan, shop } from './shop.js';

/** What a profile sells, in the form of the design's table. */
function table({ plans }: Profile): unknown[] {
  return plans.map(({ id, prices, limits, catalogue }) => {
    const amount = (name: string): number | null => limits.find((limit) => limit.id === name)?.amount ?? null;
    return [
      id,
      prices.map((price) => `${price.amount} ${price.currency} a ${price.interval}`).join(),
      amount('requests-minute'),
      amount('cost-minute'),
      amount('requests-month'),
      catalogue.tiers.join(' '),
      catalogue.patterns,
    ];
  });
}

describe('the profile specql', () => {
  it('sells what the design says', async () => {
    const profile = await readProfile('profiles/specql.yaml');
    expect(table(profile)).toEqual([
      ['free', '', 10, 1_000, 1_000, 'community', 100],
      ['developer', '2900 usd a month,29000 usd a year', 60, 6_000, 10_000, 'community basic', 1_000],
      ['team', '19900 usd a month,199000 usd a year', 300, 30_000, 100_000, 'community basic premium', 5_000],
      [
        'enterprise',
        '99900 usd a month,999000 usd a year',
        null,
        null,
        null,
        'community basic premium enterprise',
        null,
      ],
    ]);
  });

  it('has the keys, the header limit and the features that the design says', async () => {
    const profile = await readProfile('profiles/specql.yaml');
    expect(profile).toMatchObject({
      name: 'specql',
      keys: { live: 'sk_live_', test: 'sk_test_' },
      headers: { limit: 'requests-minute' },
      defaultPlan: 'free',
    });
    const withTeams = profile.plans.filter(({ features }) => features.includes('teams')).map(({ id }) => id);
    const withPrivate = profile.plans.filter(({ features }) => features.includes('private-patterns'));
    expect(withTeams).toEqual(['team', 'enterprise']);
    expect(withPrivate.map(({ id }) => id)).toEqual(['enterprise']);
  });

  it('has 100 cost points for each request a minute, and each limit under its name', async () => {
    for (const { limits } of (await readProfile('profiles/specql.yaml')).plans) {
      const byId = new Map(limits.map((limit) => [limit.id, limit]));
      expect(byId.get('cost-minute')?.amount).toBe(
        byId.has('requests-minute') ? (byId.get('requests-minute')?.amount ?? 0) * 100 : undefined,
      );
      for (const { id, meter, window } of limits) expect(id).toBe(`${meter}-${window}`);
    }
  });
});

describe('profiles without a catalogue', () => {
  const requests = (window: string, amount: number) => `requests a ${window}: ${amount}`;
  const videos = (amount: number) => `videos a day: ${amount}`;

  it.each([
    [
      'glyph',
      ['glyph_sk_live_', 'glyph_sk_dev_'],
      [
        ['free', undefined, [requests('month', 100)], []],
        ['starter', 2900, [requests('month', 10_000)], []],
        ['professional', 9900, [requests('month', 100_000)], []],
        ['enterprise', undefined, [], []],
      ],
    ],
    [
      'harmonic',
      ['hm_', 'hm_test_'],
      [
        ['free', undefined, [requests('month', 1_000)], []],
        ['pro', 2900, [requests('month', 10_000)], []],
        ['enterprise', undefined, [], []],
      ],
    ],
    [
      'videomind',
      ['sk_', 'sk_test_'],
      [
        ['free', undefined, [requests('hour', 10), videos(3)], []],
        ['pro', 1200, [requests('hour', 100), videos(30)], ['vision', 'questions']],
        ['business', 3900, [requests('hour', 500), videos(150)], ['vision', 'questions', 'blog']],
      ],
    ],
  ])('%s sells what the design says', async (name, prefixes, plans) => {
    const profile = await readProfile(`profiles/${name}.yaml`);
    expect([profile.name, profile.tiers, profile.keys.live, profile.keys.test]).toEqual([
      name,
      [],
      ...prefixes,
    ]);
    expect(
      profile.plans.map(({ id, prices: [price], limits, features }) => [
        id,
        price?.amount,
        limits
          .filter(({ meter }) => meter !== 'cost')
          .map(({ meter, window, amount }) => `${meter} a ${window}: ${amount}`),
        features,
      ]),
    ).toEqual(plans);
    for (const { catalogue } of profile.plans) expect(catalogue).toEqual({ tiers: [], patterns: null });
  });
});

describe('cost points that a profile says nothing of', () => {
  const requests = (window: 'minute' | 'hour' | 'month', amount: number) =>
    ({ id: `calls-${window}`, meter: 'requests', window, amount }) as const;

  it('are 100 for each request, in the same windows', () => {
    const limits = [requests('hour', 10), requests('month', 30)];
    const parsed = Profile.parse(
      shop({ plans: [plan('free', 1, { limits }), plan('pro', 1, { limits: [] })] }),
    );
    expect(parsed.plans.map((of) => of.limits.map(({ id, amount }) => `${id} ${amount}`))).toEqual([
      ['calls-hour 10', 'calls-month 30', 'cost-hour 1000', 'cost-month 3000'],
      [],
    ]);
  });

  it('are refused where they are more than can be counted', () => {
    const month = (amount: number) =>
      shop({ plans: [plan('free', 1, { limits: [requests('month', amount)] }), plan('pro', 1)] });
    const most = Math.floor(MAX_AMOUNT / 100);
    expect(Profile.safeParse(month(most)).success).toBe(true);
    const said = Profile.safeParse(month(most + 1)).error?.issues.map(({ message }) => message);
    expect(said).toEqual([
      expect.stringMatching(/^9007199254741000 of cost a month is more .* no limit on cost/),
    ]);
  });

  it('are left as they are where a plan names any', () => {
    const limits = [requests('hour', 10), { id: 'points', meter: 'cost', window: 'day', amount: 5 } as const];
    const [free] = Profile.parse(shop({ plans: [plan('free', 1, { limits }), plan('pro', 1)] })).plans;
    expect(free?.limits).toEqual(limits);
  });
});

const overage = (over: object) =>
  ({
    limit: 'calls',
    meter: 'requests',
    currency: 'usd',
    tiers: [{ unitAmount: '1' }],
    ...over,
  }) as unknown as NonNullable<Plan['overage']>[number];

const TWICE = ['a', 'b'].map((id) => ({ id, meter: 'cost', window: 'minute', amount: 1 }) as const);

const meter = (id: string, aggregation = 'sum') => ({ id, unit: 'one', aggregation });
const onMeter = (id: string): Limit => ({ id: 'on-it', meter: id, window: 'day', amount: 1 });

describe('a feature', () => {
  it('is a flag, or has a value', () => {
    const features = ['teams', { name: 'support', value: '24 hours' }];
    const parsed = Profile.parse(shop({ plans: [plan('free', 1), plan('pro', 1, { features })] }));
    const pro = parsed.plans[1] as Plan;
    expect(featuresOf(pro)).toEqual([
      { name: 'teams', value: null },
      { name: 'support', value: '24 hours' },
    ]);
    expect(['teams', 'support', 'none'].map((name) => hasFeature(pro, name))).toEqual([true, true, false]);
  });
});

describe('a meter that a profile declares', () => {
  it('can be limited like any other, where it is a sum or a count', () => {
    const limits = ['seconds', 'jobs'].map((id) => ({ ...onMeter(id), id }));
    const parsed = Profile.parse({
      ...shop({ plans: [plan('free', 1), plan('pro', 1, { limits })] }),
      meters: [
        meter('seconds'),
        meter('jobs', 'count'),
        meter('peak', 'max'),
        { ...meter('users', 'unique'), property: 'user' },
      ],
    });
    expect(aggregationsOf(parsed)('seconds')).toBe('sum');
    expect(['requests', 'cost', 'jobs', 'peak', 'none'].map(aggregationsOf(parsed))).toEqual([
      'count',
      'sum',
      'count',
      'max',
      undefined,
    ]);
    // Only where a plan limits requests there are cost points for each.
    expect(parsed.plans[1]?.limits.map(({ id }) => id)).toEqual(['seconds', 'jobs']);
  });
});

describe('a bad profile', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'tollgraph-profile-'));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  async function problems(content: unknown): Promise<readonly string[]> {
    const file = join(directory, 'shop.yaml');
    await writeFile(file, typeof content === 'string' ? content : stringify(content));
    const refused = await readProfile(file).catch((error: unknown) => error);
    if (!(refused instanceof ConfigError)) throw new Error(`no refusal but ${String(refused)}`);
    expect(refused.problems.every((problem) => problem.startsWith(`${file}:`))).toBe(true);
    return refused.problems.map((problem) => problem.slice(file.length + 1).replace(/^(\d+:)? /, ''));
  }
  const badPlan = (over: Parameters<typeof plan>[2]): Profile =>
    shop({ plans: [plan('free', 1), plan('pro', 1, over)] });

  const onMonth = (over: Parameters<typeof plan>[2]): Profile =>
    badPlan({ limits: [{ id: 'calls', meter: 'requests', window: 'billing-period', amount: 1 }], ...over });

  it('starts from one that is good', () => {
    expect(Profile.safeParse(shop()).success).toBe(true);
  });

  it('is one whose file is missing', async () => {
    await expect(readProfile(join(directory, 'none.yaml'))).rejects.toThrow(
      /PROFILE: there is no file .*none\.yaml/,
    );
  });

  it.each<[string, string, unknown]>([
    [
      'a plan id twice',
      'profile: plan ids must be unique',
      shop({ plans: [plan('free', 1), plan('free', 1), plan('pro', 1)] }),
    ],
    [
      'an unknown default plan',
      'profile: defaultPlan "gold" is not one of the plans',
      shop({ defaultPlan: 'gold' }),
    ],
    [
      'an unknown plan for demo calls',
      'demo.plan: demo.plan "gold" is not one of the plans',
      shop({ demo: { plan: 'gold' } }),
    ],
    ['an unknown demo plan', 'profile: demoPlan "gold" is not one of the plans', shop({ demoPlan: 'gold' })],
    [
      'an unknown tier',
      'profile: plan pro: "secret" is not one of the tiers',
      badPlan({ catalogue: { tiers: ['secret'], patterns: 1 } }),
    ],
    [
      'a limit id twice',
      'profile: plan pro: limit ids must be unique',
      badPlan({ limits: [...plan('x', 1).limits, ...plan('x', 2).limits] }),
    ],
    [
      'a soft limit by the hour',
      'plans.1.limits.0.mode: a limit by the hour protects what is called, and is always hard',
      badPlan({ limits: [{ id: 'calls', meter: 'requests', window: 'hour', amount: 1, mode: 'soft' }] }),
    ],
    ['a limit of nothing', 'plans.1.limits.0.amount: ', badPlan({ limits: plan('x', 0).limits })],
    ['half a call', 'plans.1.limits.0.amount: ', badPlan({ limits: plan('x', 1.5).limits })],
    [
      'a currency in capitals',
      'plans.1.prices.0.currency: ',
      badPlan({ prices: [{ interval: 'month', amount: 1, currency: 'USD' }] }),
    ],
    [
      'a fraction of a cent',
      'plans.1.prices.0.amount: ',
      badPlan({ prices: [{ interval: 'month', amount: 1.5, currency: 'usd' }] }),
    ],
    [
      'a price below what can be charged',
      'plans.1.prices.0.amount: at least 50 can be charged in usd, or nothing',
      badPlan({ prices: [{ interval: 'month', amount: 49, currency: 'usd' }] }),
    ],
    [
      'a currency that there is not',
      'plans.1.prices.0.currency: is no currency of ISO 4217',
      badPlan({ prices: [{ interval: 'month', amount: 100, currency: 'zzz' }] }),
    ],
    [
      'two prices for the same',
      'plans.1.prices.1: there is a price a month in usd already',
      badPlan({ prices: [1, 2].map((n) => ({ interval: 'month', amount: n * 100, currency: 'usd' })) }),
    ],
    [
      'a trial of what costs nothing',
      'plans.1.trialDays: there is nothing to try',
      badPlan({ trialDays: 14 }),
    ],
    [
      'a coupon for a plan that there is not',
      'coupons.0.plans.1: "gold" is not one of the plans',
      shop({
        coupons: [{ id: 'SPRING', name: 'x', percentOff: 20, duration: 'once', plans: ['pro', 'gold'] }],
      }),
    ],
    [
      'a coupon that takes off nothing, and one that takes off twice',
      'coupons.0.percentOff: a coupon takes off either a percentage or an amount',
      shop({ coupons: [{ id: 'SPRING', name: 'x', duration: 'once' }] }),
    ],
    [
      'a coupon whose amount has no currency',
      'coupons.0.currency: goes with amountOff, and only with it',
      shop({ coupons: [{ id: 'SPRING', name: 'x', amountOff: 20, duration: 'once' }] }),
    ],
    [
      'a coupon for some months, and nobody says how many',
      'coupons.0.months: goes with a duration of repeating, and only with it',
      shop({ coupons: [{ id: 'SPRING', name: 'x', percentOff: 20, duration: 'repeating' }] }),
    ],
    [
      'a coupon in small letters',
      'coupons.0.id: must be 3 to 40 capital letters, digits and hyphens',
      shop({ coupons: [{ id: 'spring', name: 'x', percentOff: 20, duration: 'once' }] }),
    ],
    [
      'a coupon that ends on no day',
      'coupons.0.redeemBy: must be a time',
      shop({
        coupons: [
          { id: 'SPRING', name: 'x', percentOff: 20, duration: 'once', redeemBy: '2027-02-30T00:00:00Z' },
        ],
      }),
    ],
    [
      'two coupons with one code',
      'coupons.1.id: there is a coupon SPRING already',
      shop({
        coupons: [1, 2].map((n) => ({ id: 'SPRING', name: 'x', percentOff: n, duration: 'once' as const })),
      }),
    ],
    [
      'overage of a limit that there is not',
      'plans.1.overage.0.limit: "videos" is not one of the plan',
      badPlan({ overage: [overage({ limit: 'videos' })] }),
    ],
    [
      'overage of a limit whose window nobody bills',
      'plans.1.overage.0.limit: calls holds over a minute',
      badPlan({ overage: [overage({})] }),
    ],
    [
      'overage of a month that is not the one that is billed',
      'plans.1.overage.0.limit: calls holds over a month of the calendar',
      badPlan({
        limits: [{ id: 'calls', meter: 'requests', window: 'month', amount: 1 }],
        overage: [overage({})],
      }),
    ],
    [
      'overage of another meter than the limit’s',
      'plans.1.overage.0.limit: calls is a limit on requests',
      onMonth({ overage: [overage({ meter: 'cost' })] }),
    ],
    [
      'a last tier that ends',
      'plans.1.overage.0.tiers.0.upTo: the last tier has no end',
      onMonth({ overage: [overage({ tiers: [{ upTo: 5, unitAmount: '1' }] })] }),
    ],
    [
      'tiers that do not follow each other',
      'plans.1.overage.0.tiers.1.upTo: must be above 5',
      onMonth({
        overage: [overage({ tiers: [5, 5, undefined].map((upTo) => ({ upTo, unitAmount: '1' })) })],
      }),
    ],
    [
      'a unit price that is no decimal',
      'plans.1.overage.0.tiers.0.unitAmount: must be minor units',
      onMonth({ overage: [overage({ tiers: [{ unitAmount: '1e3' }] })] }),
    ],
    [
      'a unit price that is more than one payment can be',
      'plans.1.overage.0.tiers.0.unitAmount: at most 99999999 can be charged',
      onMonth({ overage: [overage({ tiers: [{ unitAmount: '100000000' }] })] }),
    ],
    [
      'the same for a whole tier',
      'plans.1.overage.0.tiers.0.flatAmount',
      onMonth({ overage: [overage({ tiers: [{ unitAmount: '1', flatAmount: 100_000_000 }] })] }),
    ],
    ['a misspelt name', 'profile: Unrecognized key: "plnas"', { ...shop(), plnas: [] }],
    ['a window that is not known', 'plans.0.limits.0.window: ', stringify(shop()).replace('minute', 'week')],
    [
      'two limits on the same',
      'profile: plan pro: there are two limits on cost a minute',
      shop({ plans: [plan('free', 1), plan('pro', 1, { limits: TWICE })] }),
    ],
    [
      'half a surrogate pair',
      'product: is not well-formed Unicode',
      stringify(shop()).replace('A shop', '"A \\ud83d shop"'),
    ],
    [
      'a control character',
      'plans.0.name: holds a control character',
      shop({ plans: [plan('free', 1, { name: 'Fr\u0001ee' }), plan('pro', 1)] }),
    ],
    [
      'a feature of two lines',
      'plans.1.features.0: must be one line',
      badPlan({ features: ['teams\nmore'] }),
    ],
    ['an empty file', 'profile: ', ''],
    [
      'a limit on a meter that there is not',
      'plans.1.limits.0.meter: "videos" is not one of the meters: requests, cost, seconds',
      { ...badPlan({ limits: [onMeter('videos')] }), meters: [meter('seconds')] },
    ],
    [
      'a limit on a meter that does not add up',
      'plans.1.limits.0.meter: peak is a meter of the aggregation max; limits can be on sum and count',
      { ...badPlan({ limits: [onMeter('peak')] }), meters: [meter('peak', 'max')] },
    ],
    [
      'a meter that counts values of nothing',
      'meters.0.property: a meter of the aggregation unique names the property whose values it counts',
      { ...shop(), meters: [meter('users', 'unique')] },
    ],
    [
      'a sum by a property',
      'meters.0.property: only a meter of the aggregation unique counts by a property',
      { ...shop(), meters: [{ ...meter('users'), property: 'user' }] },
    ],
    [
      'parts of values',
      'meters.0.decimals: unique counts whole values',
      { ...shop(), meters: [{ ...meter('users', 'unique'), property: 'user', decimals: 2 }] },
    ],
    [
      'a limit on end customers that lets pass',
      'plans.1.subjectLimits.0.mode: a limit on end customers is always hard',
      {
        ...badPlan({ subjectLimits: [{ ...onMeter('seconds'), mode: 'soft' }] }),
        meters: [meter('seconds')],
      },
    ],
    [
      'a limit on end customers on what does not add up',
      'plans.1.subjectLimits.0.meter: peak is a meter of the aggregation max; limits can be on sum and count',
      { ...badPlan({ subjectLimits: [onMeter('peak')] }), meters: [meter('peak', 'max')] },
    ],
    [
      'a limit on end customers under the name of another',
      'plans.1.subjectLimits.0.id: there is a limit on-it already',
      {
        ...badPlan({ limits: [onMeter('seconds')], subjectLimits: [onMeter('seconds')] }),
        meters: [meter('seconds')],
      },
    ],
    [
      'a meter twice',
      'meters.1.id: there is a meter seconds already',
      { ...shop(), meters: [meter('seconds'), meter('seconds')] },
    ],
    [
      'a meter that every profile has',
      'meters.0.id: there is a meter cost already',
      { ...shop(), meters: [meter('cost')] },
    ],
    [
      'a meter whose name would not be told from another part',
      'meters.0.id: ',
      { ...shop(), meters: [meter('a|b')] },
    ],
  ])('is one with %s', async (_what, problem, content) => {
    expect(await problems(content)).toEqual([expect.stringContaining(problem)]);
  });

  it('is refused with the line that is wrong', async () => {
    const file = join(directory, 'lines.yaml');
    const text = stringify(badPlan({ limits: [onMeter('videos')] }));
    await writeFile(file, text);
    const line = text.split('\n').findIndex((one) => one.includes('videos')) + 1;
    await expect(readProfile(file)).rejects.toThrow(
      `${file}:${line}: plans.1.limits.0.meter: "videos" is not`,
    );
  });

  it('is refused with all its problems at once', async () => {
    expect((await problems(shop({ defaultPlan: 'gold', demoPlan: 'silver' }))).length).toBe(2);
  });

  it('is one that is not YAML, and the refusal says so', async () => {
    expect(await problems('name: "shop\nplans: [')).not.toEqual([]);
  });
});
