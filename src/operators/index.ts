import type { Capability } from '../capability.js';
import { audited } from './audited.js';
import { configuredOperators } from './configured.js';
import { OPERATORS_STREAM } from './events.js';
import { Operators } from './operators.js';
import { keepOperators } from './policies.js';
import { OperatorsResolver } from './resolvers.js';

export const operators: Capability = {
  streams: ['operators'],
  audited,
  policies: ({ commands, operatorEmails, verifiedHolder }) => [
    keepOperators(commands, () => configuredOperators(operatorEmails, verifiedHolder)),
  ],
  memory: async ({ commands }) => {
    const above = new Operators();
    for (const event of await commands.load(OPERATORS_STREAM)) above.apply(event);
    return { operators: above };
  },
  graphql: {
    resolvers: [OperatorsResolver],
    create: ({ commands, operatorAction, users, positions }) => ({
      resolvers: [new OperatorsResolver(commands, operatorAction, users.verified, positions)],
    }),
  },
};
