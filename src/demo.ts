import { randomBytes } from 'node:crypto';
import type { RegisterUser } from './accounts/register.js';
import type { CommandHandler } from './eventsourcing/commandHandler.js';
import type { KeySecrets } from './keys/secrets.js';
import { subscriptionDecider } from './plans/decide.js';
import type { PlanDirectory } from './plans/directory.js';
import { subscriptionStream } from './plans/events.js';

const DEMO_EMAIL = 'demo@tollgraph.example';

export interface DemoOptions {
  readonly commands: CommandHandler;
  readonly register: RegisterUser;
  readonly keySecrets: KeySecrets;
  readonly plans: PlanDirectory;
  readonly now: number;
}

/**
 * An account to try things out with, on the profile's demo plan. Every command has a fixed id, so a
 * start that was cut short is completed by the next one, and a later start adds no event.
 * @returns the key when it has just been made; it is shown this once
 */
export async function createDemo(options: DemoOptions): Promise<string | undefined> {
  const { commands, register, keySecrets, plans, now } = options;
  const correlationId = 'demo';
  const registered = await register.execute(
    // Nobody signs in here: the password is thrown away.
    { email: DEMO_EMAIL, password: randomBytes(24).toString('base64url'), name: 'Demo', commandId: 'demo' },
    correlationId,
  );
  if (registered.kind === 'refused') return undefined;
  const { accountId, userId } = registered;
  const at = new Date(now);
  const { profile, version } = plans;
  await commands.handle(
    subscriptionDecider,
    subscriptionStream(accountId),
    {
      type: 'GrantPlan',
      plan: profile.demoPlan,
      plans: profile.plans.map((plan) => plan.id),
      profileVersion: version,
      grantedBy: 'operator:demo',
      reason: 'the demo account of a new installation',
    },
    {
      commandId: 'demo-plan',
      caller: 'operator:demo',
      requestHash: 'demo-plan',
      at,
      environment: 'live',
      correlationId,
    },
  );
  const issued = await keySecrets.issue(
    { accountId, name: 'Demo key', environment: 'test', scopes: ['read'], expiresAt: null },
    undefined,
    { commandId: 'demo-key', caller: `user:${userId}`, at, correlationId },
  );
  return issued.kind === 'made' ? (issued.secret ?? undefined) : undefined;
}
