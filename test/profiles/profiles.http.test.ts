import { freshPlace } from '../support/database.js';
import type { Place } from '../support/database.js';
import { startApp } from '../support/app.js';

const OLD = 'a-key-that-somebody-made';

let place: Place;
beforeAll(async () => {
  place = await freshPlace({ ready: true });
});
afterAll(() => place.remove());

it('a profile without a catalogue loads no patterns, and takes bare keys at the plan that it names', async () => {
  const t = await startApp({
    place,
    patterns: 'patterns',
    env: { PROFILE: 'videomind', LEGACY_API_KEYS: OLD },
  });
  try {
    expect([t.app.imported, t.app.catalogue]).toEqual([0, false]);
    const asked = '{ me { account { plan { id } } } }';
    const { data } = await t.raw(asked, {}, OLD);
    expect(data).toEqual({ me: { account: { plan: { id: 'business' } } } });
    const { secret } = await t.customer();
    expect(secret).toMatch(/^sk_[0-9A-Za-z]{32}$/);
    const patterns = await t.raw('{ patterns { totalCount nodes { slug } } }', {}, secret);
    expect(patterns.data).toEqual({ patterns: { totalCount: 0, nodes: [] } });
  } finally {
    await t.close();
  }
});

it('is refused on the data of another one (decision 6), beside which it runs from the same checkout', async () => {
  await expect(startApp({ place, env: { PROFILE: 'harmonic' } })).rejects.toThrow(
    /videomind.*harmonic|harmonic.*videomind/s,
  );
  // Each with its own DATA_DIR and PORT, at the same time.
  const both = [
    await startApp({ place, env: { PROFILE: 'videomind', LEGACY_API_KEYS: OLD } }),
    await startApp({ env: { PROFILE: 'harmonic' } }),
  ] as const;
  try {
    const [videomind, harmonic] = both;
    const email = 'both@example.com';
    const users = [await videomind.register(email), await harmonic.register(email)];
    const keys = [
      (await videomind.issueKey(users[0]?.token ?? '')).secret,
      (await harmonic.issueKey(users[1]?.token ?? '')).secret,
    ];
    expect(keys).toEqual([expect.stringMatching(/^sk_/), expect.stringMatching(/^hm_/)]);
    const plansOf = async (key = '') =>
      Promise.all(
        both.map(
          async (t) => (await t.raw('{ account { plan { id } } }', {}, key)).errors?.[0]?.extensions['code'],
        ),
      );
    expect(await plansOf(keys[0])).toEqual([undefined, 'KEY_MALFORMED']);
    expect(await plansOf(keys[1])).toEqual(['KEY_MALFORMED', undefined]);
    const health = both.map(async ({ app }) => (await fetch(`${app.url}/api/v1/health`)).status);
    expect(await Promise.all(health)).toEqual([200, 404]);
  } finally {
    for (const t of both) await t.close();
  }
});
