import type { Capability } from '../capability.js';

export const billing: Capability = {
  streams: ['stripe_event', 'invoice'],
};
