import { randomUUID } from 'node:crypto';
import { teamDecider } from '../../src/teams/decide.js';
import type { Role } from '../../src/teams/events.js';
import { teamStream } from '../../src/teams/events.js';
import type { TestApp } from './app.js';

interface User {
  readonly userId: string;
  readonly accountId: string;
}

/** Has a user join the account of another, without mails. */
export async function join(t: TestApp, owner: User, { userId }: User, role: Role): Promise<void> {
  const invitationId = randomUUID();
  const at = new Date();
  const emailHash = randomUUID();
  for (const command of [
    {
      type: 'InviteMember' as const,
      ownerId: owner.userId,
      invitation: {
        invitationId,
        emailHash,
        email: '',
        role,
        invitedBy: owner.userId,
        expiresAt: new Date(at.getTime() + 60_000).toISOString(),
      },
      at,
    },
    {
      type: 'AcceptInvitation' as const,
      invitationId,
      userId,
      emailHashes: [emailHash],
      verified: true,
      at,
    },
  ]) {
    const result = await t.app.parts.commands.handle(teamDecider, teamStream(owner.accountId), command, {
      commandId: randomUUID(),
      caller: 'test',
      requestHash: 'test',
      at,
      environment: 'live',
      correlationId: 'test',
    });
    if (result.kind === 'refused') throw new Error(JSON.stringify(result.refusal));
  }
}
