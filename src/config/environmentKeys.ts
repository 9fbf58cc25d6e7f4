import { z } from 'zod';
import { ConfigError } from './error.js';
import { listed } from './values.js';

/** A key that others have made, with its plan. */
export interface EnvironmentKey {
  readonly key: string;
  /** Undefined where the profile has to name it. */
  readonly plan: string | undefined;
  /** Names where it stands. */
  readonly entry: string;
}

/** A key that somebody else has made, and its plan where it is named. The last colon stands before the plan. */
const KEY_AND_PLAN = /^(?<key>[!-~]{16,200}):(?<plan>[^:]*)$|^(?<bare>[!-9;-~]{16,200})$/;

/** What is wrong with an entry is said without its content: it is a secret. */
export const keysIn = (name: string) =>
  z
    .string()
    .default('')
    .transform((value, context) =>
      listed(value).map((text, index) => {
        const entry = `${name}, entry ${index + 1}`;
        const { bare, key = bare, plan } = KEY_AND_PLAN.exec(text)?.groups ?? {};
        if (key === undefined) {
          const message = `entry ${index + 1} must be key:plan, or the key alone where the profile names the plan; the key 16 to 200 visible ASCII characters`;
          context.addIssue({ code: 'custom', message });
          return z.NEVER;
        }
        if (key.startsWith('eyJ')) {
          const message = `entry ${index + 1} begins with eyJ, as session tokens do: it could not be told from one`;
          context.addIssue({ code: 'custom', message });
          return z.NEVER;
        }
        return { entry, key, plan };
      }),
    );

/** @throws ConfigError where a key stands twice with different plans */
export function onceEach(entries: readonly EnvironmentKey[]): readonly EnvironmentKey[] {
  const byKey = new Map<string, EnvironmentKey>();
  for (const entry of entries) {
    const known = byKey.get(entry.key);
    if (!known) byKey.set(entry.key, entry);
    else if (known.plan !== entry.plan) {
      throw new ConfigError([`${entry.entry}: the key of ${known.entry} with another plan`]);
    }
  }
  return [...byKey.values()];
}
