import type { Capability } from '../capability.js';
import { tellOperators } from './operatorNotices.js';
import { askForMails, eraseInvitedUser, requestMails } from './policies.js';
import { OperatorMailsResolver, ReplayMailResolver } from './resolvers.js';

export const mail: Capability = {
  streams: ['mail'],
  policies: ({ commands, personal, outbox, clock }) => [
    requestMails(commands),
    askForMails(commands, outbox, clock),
    tellOperators(commands),
    eraseInvitedUser(commands, personal),
  ],
  graphql: {
    resolvers: [OperatorMailsResolver, ReplayMailResolver],
    create: ({ commands, outbox, cursors, operatorAction, positions }) => ({
      resolvers: [
        new OperatorMailsResolver(outbox, cursors),
        new ReplayMailResolver(commands, operatorAction, positions),
      ],
    }),
    notAwaited: ['operatorReplayMail'],
  },
};
