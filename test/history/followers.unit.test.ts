import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { PassThrough } from 'node:stream';
import { PositionTokens } from '../../src/eventsourcing/positionToken.js';
import type { ReadsLog } from '../../src/history/export.js';
import { historyRoute, MAX_FOLLOWERS } from '../../src/history/export.js';
import type { Logger } from '../../src/logger.js';
import type { Reply, RouteCall } from '../../src/rest/route.js';

const logger: Logger = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** A log in which nothing happens, and who waits for it. */
function stillLog() {
  let waiting = 0;
  const log: ReadsLog = {
    readAll: () => Promise.resolve([]),
    readTypes: () => Promise.resolve([]),
    readStream: () => Promise.resolve([]),
    head: () => Promise.resolve(0),
    onWake: () => {
      waiting++;
      return () => waiting--;
    },
  };
  return { log, waiting: () => waiting };
}

describe('whoever follows the events', () => {
  it.each([
    ['before the answer has begun', false],
    ['while the answer waits for the next event', true],
  ])('leaves its place at once, going away %s', async (_when, reading) => {
    const { log, waiting } = stillLog();
    const route = historyRoute(log, new PositionTokens('store'), logger, 3_600_000);
    const closed: Promise<unknown>[] = [];
    for (let n = 0; n <= MAX_FOLLOWERS; n++) {
      const answer = new PassThrough();
      if (!reading) await once(answer.destroy(), 'close');
      const call = { query: { follow: '1' }, http: { reply: { raw: answer } } } as unknown as RouteCall;
      // Refused once there is no place.
      const { body } = (await route.handle(call)) as Reply & { readonly body: Readable };
      closed.push(once(body, 'close'));
      if (reading) {
        body.resume();
        await once(body, 'data');
        while (waiting() === 0) await new Promise(setImmediate);
        answer.destroy();
        await once(answer, 'close');
      }
      await new Promise(setImmediate);
    }
    await Promise.all(closed);
    expect(waiting()).toBe(0);
  });
});
