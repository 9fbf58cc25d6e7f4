import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { RegisterUserDocument } from '../generated/graphql.js';
import type { TestApp } from '../support/app.js';
import { startApp } from '../support/app.js';
import type { Place } from '../support/database.js';
import { freshPlace } from '../support/database.js';
import { allEvents } from './facts.js';

const ENTRY = fileURLToPath(new URL('../process/dieAt.js', import.meta.url));
const INPUT = { email: 'ada@example.com', password: 'correct horse', commandId: 'register-ada' };

let place: Place;
let t: TestApp | undefined;
beforeEach(async () => {
  place = await freshPlace({ ready: true });
});
afterEach(async () => {
  await t?.close();
  t = undefined;
  await place.remove();
});

/** Registers in a process of its own, which is killed at that append; then starts the product on the data. */
async function killedAt(when: 'before' | 'after', type: string): Promise<TestApp> {
  const { dataDir, databaseUrl } = place;
  const args = [ENTRY, when, type, JSON.stringify({ dataDir, databaseUrl }), JSON.stringify(INPUT)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const [, signal] = (await once(child, 'close')) as [number | null, string | null];
  expect(signal).toBe('SIGKILL');
  return (t = await startApp({ place }));
}

async function register(app: TestApp, commandId: string) {
  const { data } = await app.query(RegisterUserDocument, { input: { ...INPUT, commandId } });
  return data?.registerUser;
}

/** The events of registrations, of all streams together. */
const stored = async (app: TestApp): Promise<string[]> =>
  (await allEvents(app.app.parts.store))
    .map(({ type }) => type)
    .filter((type) => ['EmailRegistered', 'AccountOpened', 'UserRegistered'].includes(type))
    .sort();

const COMPLETE = ['AccountOpened', 'EmailRegistered', 'UserRegistered'];

/** The same, once there are as many: the killed process may still hold its lease on the policy for seconds. */
async function completed(app: TestApp): Promise<string[]> {
  const { store } = app.app.parts;
  for (;;) {
    let unsubscribe: (() => void) | undefined;
    const woken = new Promise<void>((resolve) => (unsubscribe = store.onWake(resolve)));
    const types = await stored(app);
    if (types.length < COMPLETE.length) await woken;
    unsubscribe?.();
    if (types.length >= COMPLETE.length) return types;
  }
}

it('killed before its commit a registration has not been, and its e-mail is free', async () => {
  const app = await killedAt('before', 'EmailRegistered');
  expect(await stored(app)).toEqual([]);
  const other = await register(app, 'another');
  expect(other).toMatchObject({ __typename: 'RegisterUserPayload' });
  expect(await completed(app)).toEqual(COMPLETE);
  expect(await register(app, INPUT.commandId)).toMatchObject({ code: 'EMAIL_TAKEN' });
});

it.each(['EmailRegistered', 'AccountOpened'])(
  'killed after %s a registration ends complete, once',
  async (type) => {
    const app = await killedAt('after', type);
    // The start itself completes it: nobody has to ask again.
    expect(await stored(app)).toEqual(COMPLETE);
    expect(await register(app, 'another')).toMatchObject({ code: 'EMAIL_TAKEN' });
    // Its sender never had an answer, and gets the first result now.
    const again = await register(app, INPUT.commandId);
    expect(again).toMatchObject({ __typename: 'RegisterUserPayload', session: null });
    expect(await stored(app)).toEqual(COMPLETE);
  },
);
