import { z } from 'zod';
import type { RebuildProgress, RebuildReport } from '../following/modelRunner.js';
import type { ReadModelState } from '../following/readModel.js';
import type { Projector } from '../following/projector.js';
import type { EventStore } from '../eventsourcing/eventStore.js';
import { OperatorRefusal } from '../following/operatorRefusal.js';
import type { ParkedStream, Skip, Unparking } from '../following/parking.js';
import type { PolicyRunner } from '../following/policyRunner.js';
import type { AdminCommands } from './server.js';

const Rebuild = z.object({ model: z.string(), dryRun: z.boolean() });
const Replay = z.object({ id: z.string() });
const SkipArgs = z.object({
  id: z.string(),
  reason: z.string().min(1),
  by: z.string().min(1),
  all: z.boolean(),
});

export type RebuildStep = RebuildProgress;
export type Rebuilt = RebuildReport & { readonly milliseconds: number };

export interface ReadModelLine extends ReadModelState {
  /** Positions between it and the newest event. */
  readonly lag: number;
  /** Whether the process that was asked writes it. */
  readonly here: boolean;
  readonly problem: string | null;
}

/** Dates are text on their way to the command line. */
export type ParkedLine = Omit<ParkedStream, 'since'> & { readonly since: string };

/** What an operator can ask and do about read models and parked streams. */
export function readModelCommands(
  projector: Projector,
  policies: PolicyRunner,
  store: EventStore,
): AdminCommands {
  const parked = async (): Promise<ParkedStream[]> => [
    ...(await projector.parked()),
    ...(await policies.parked()),
  ];
  const unpark = async (id: string, skip?: Skip): Promise<Unparking> => {
    const stream = (await parked()).find((candidate) => candidate.id === id);
    const done = stream && (projector.unpark(stream, skip) ?? policies.unpark(stream, skip));
    if (!done)
      throw new OperatorRefusal(`No parked stream has the id "${id}"; \`parked\` lists those that are.`);
    return done;
  };
  return {
    'read-models': async (): Promise<ReadModelLine[]> => {
      const head = await store.head();
      const leads = new Set(projector.leads());
      const problems = new Map(projector.failures().map(({ model, error }) => [model, error]));
      return projector.states().map((state) => {
        const problem = problems.get(state.model);
        return {
          ...state,
          lag: Math.max(0, head - state.checkpoint),
          here: leads.has(state.model),
          problem: problem instanceof Error ? problem.message : null,
        };
      });
    },
    rebuild: async (args, { progress, signal }): Promise<Rebuilt> => {
      const { model, dryRun } = Rebuild.parse(args);
      const started = performance.now();
      const report = await projector.rebuild(model, { dryRun, onProgress: progress, signal });
      return { ...report, milliseconds: performance.now() - started };
    },
    parked: async (): Promise<ParkedLine[]> =>
      (await parked()).map((stream) => ({ ...stream, since: stream.since.toISOString() })),
    'parked replay': (args) => unpark(Replay.parse(args).id),
    'parked skip': (args) => {
      const { id, ...skip } = SkipArgs.parse(args);
      return unpark(id, skip);
    },
  };
}
