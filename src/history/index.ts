import type { Capability } from '../capability.js';
import { historyRoute } from './export.js';

/** Streams of its own it has none: it gives out those of all. */
export const history: Capability = {
  streams: [],
  routes: ({ store, positions, log }) => [historyRoute(store, positions, log)],
};
