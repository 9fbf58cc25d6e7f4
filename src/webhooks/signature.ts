import { createHmac, randomBytes } from 'node:crypto';

const PREFIX = 'whsec_';
/** Between 24 and 64 as the specification asks. */
const SECRET_BYTES = 32;

/** A new signing secret, as receivers are shown it. */
export const mintSecret = (): string => `${PREFIX}${randomBytes(SECRET_BYTES).toString('base64')}`;

/**
 * The headers of a webhook (Standard Webhooks 1.0.0, symmetric signatures).
 * @param id the same however often it is sent
 * @param at of this attempt, milliseconds since the epoch
 * @param secrets as `mintSecret` makes them: the newest, and those before that work beside it still
 */
export function signedHeaders(
  id: string,
  at: number,
  body: string,
  secrets: readonly string[],
): Readonly<Record<'webhook-id' | 'webhook-timestamp' | 'webhook-signature', string>> {
  const timestamp = String(Math.floor(at / 1000));
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.slice(PREFIX.length), 'base64');
    return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
  });
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') };
}
