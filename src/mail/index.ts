import type { Capability } from '../capability.js';
import { eraseInvitedUser, requestMails } from './policies.js';

export const mail: Capability = {
  streams: ['mail'],
  policies: ({ commands, personal }) => [requestMails(commands), eraseInvitedUser(commands, personal)],
};
