import { SECRET_NAMES } from '../../src/config.js';
import { installationDecider } from '../../src/installation/decide.js';
import type { InstallationEvent } from '../../src/installation/events.js';
import { given } from '../eventsourcing/given.js';

const start = {
  storeId: 's1',
  profile: 'specql',
  fingerprints: { KEY_PEPPER: 'f1', EMAIL_HASH_KEY: 'f2', MASTER_KEY: 'f3', SESSION_KEY: 'f4' },
};
const created: InstallationEvent = { type: 'InstallationCreated', data: start };

it('records the first start', () => {
  given(installationDecider).when(start).then(created);
});

it('lets a start pass that matches, whatever store id it would have taken', () => {
  given(installationDecider, created).when(start).then();
  given(installationDecider, created)
    .when({ ...start, storeId: 's2' })
    .then();
});

it('refuses another profile, and names both', () => {
  const outcome = given(installationDecider, created).when({ ...start, profile: 'glyph' });
  outcome.thenRefused('PROFILE_CHANGED');
  expect(JSON.stringify(outcome.decision)).toMatch(/specql.*glyph/);
});

it.each(SECRET_NAMES)('refuses another %s, and says which one to restore', (name) => {
  const changed = { ...start, fingerprints: { ...start.fingerprints, [name]: 'other' } };
  const outcome = given(installationDecider, created).when(changed);
  outcome.thenRefused('SECRET_CHANGED');
  expect(outcome.decision).toMatchObject({ refusal: { message: expect.stringContaining(name) as unknown } });
  expect(JSON.stringify(outcome.decision)).toContain(start.fingerprints[name]);
});
