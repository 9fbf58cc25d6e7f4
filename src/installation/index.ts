import type { Capability } from '../capability.js';

export const installation: Capability = { streams: ['installation'] };
