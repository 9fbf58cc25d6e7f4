import type { Follows } from '../src/metrics.js';
import { Metrics } from '../src/metrics.js';

function metricsWith(followers: () => Promise<readonly Follows[]>): Metrics {
  const metrics = new Metrics();
  metrics.describeProjections({
    followers,
    positions: () => [],
    parked: () => [],
    parkedUses: () => parkedUses,
    conflicts: () => 0,
  });
  return metrics;
}

let parkedUses: number | undefined = 0;

const lagLines = async (metrics: Metrics): Promise<string[]> =>
  (await metrics.registry.metrics()).split('\n').filter((line) => line.startsWith('tollgraph_lag'));

const LAG: Follows = { kind: 'read_model', name: 'keys', lag: { events: 7, seconds: 1.5 } };

it('asks for the lag once for each look, and shows what it is now', async () => {
  let asked = 0;
  const metrics = metricsWith(async () => {
    asked++;
    return [{ ...LAG, lag: { events: asked, seconds: asked / 2 } }];
  });
  for (const look of [1, 2]) {
    expect(await lagLines(metrics)).toEqual([
      `tollgraph_lag_events{kind="read_model",name="keys"} ${look}`,
      `tollgraph_lag_seconds{kind="read_model",name="keys"} ${look / 2}`,
    ]);
  }
  expect(asked).toBe(2);
});

it('shows no lag while the event store does not answer, and everything else all the same', async () => {
  let answers = true;
  const metrics = metricsWith(async () => {
    if (!answers) throw new Error('the event store did not answer');
    return [LAG];
  });
  expect(await lagLines(metrics)).toHaveLength(2);
  answers = false;
  expect(await lagLines(metrics)).toEqual([]);
  expect(await metrics.registry.metrics()).toMatch(/^tollgraph_command_conflicts_total 0$/m);
});

it('measures a batch that fails as well, and passes its error on', async () => {
  const metrics = new Metrics();
  const error = new Error('poison');
  const batch = { kind: 'read_model', name: 'keys', events: [] } as const;
  await expect(metrics.batch(batch, () => Promise.reject(error))).rejects.toBe(error);
  expect(await metrics.registry.metrics()).toMatch(
    /^tollgraph_batch_duration_seconds_count\{kind="read_model",name="keys"\} 1$/m,
  );
});

it('shows neither a lag nor a number of parked uses that nobody knows', async () => {
  const metrics = metricsWith(async () => [{ ...LAG, lag: { events: 7, seconds: null } }]);
  const shown = async (): Promise<string> => metrics.registry.metrics();
  parkedUses = 3;
  expect(await shown()).toMatch(/^tollgraph_parked_uses 3$/m);
  parkedUses = undefined;
  expect(await shown()).not.toMatch(/^tollgraph_parked_uses /m);
  expect(await lagLines(metrics)).toEqual(['tollgraph_lag_events{kind="read_model",name="keys"} 7']);
});
