import type { Capability } from '../capability.js';
import { requestMails } from './policies.js';

export const mail: Capability = {
  streams: ['mail'],
  policies: ({ commands }) => [requestMails(commands)],
};
