import type { Capability } from '../capability.js';
import { analyzeRoute } from './analyzeRoute.js';
import { factRoutes } from './factRoutes.js';
import { fastApi } from './fastApi.js';
import { paymentRoute } from './payment.js';

export const analysis: Capability = {
  streams: [],
  routes: ({ analysis: desk, problems, log }) => {
    if (!desk) return [];
    const dialect = fastApi(log);
    return [
      ...factRoutes(desk, dialect, problems),
      paymentRoute(desk, dialect, log),
      analyzeRoute(desk, dialect, log),
    ];
  },
};
