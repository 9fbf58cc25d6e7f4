import { z } from 'zod';
import type { RebuildProgress, RebuildReport } from '../following/modelRunner.js';
import type { ReadModelState } from '../following/readModel.js';
import type { Projector } from '../following/projector.js';
import type { EventStore } from '../eventsourcing/eventStore.js';
import type { AdminCommands } from './server.js';

const Rebuild = z.object({ model: z.string(), dryRun: z.boolean() });
export type RebuildStep = RebuildProgress;
export type Rebuilt = RebuildReport & { readonly milliseconds: number };

export interface ReadModelLine extends ReadModelState {
  /** Positions between it and the newest event. */
  readonly lag: number;
  /** Whether the process that was asked writes it. */
  readonly here: boolean;
  readonly problem: string | null;
}

/** What an operator can ask and do about read models. */
export function readModelCommands(projector: Projector, store: EventStore): AdminCommands {
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
  };
}
