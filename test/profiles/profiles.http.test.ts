import { freshPlace } from '../support/database.js';
import type { Place } from '../support/database.js';
import { startApp } from '../support/app.js';

const OLD = 'a-key-that-somebody-made';

let place: Place;
beforeAll(async () => {
  place = await freshPlace();
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

it('is refused on the data of another one (decision 6)', async () => {
  await expect(startApp({ place, env: { PROFILE: 'harmonic' } })).rejects.toThrow(
    /videomind.*harmonic|harmonic.*videomind/s,
  );
});
