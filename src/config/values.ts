import { z } from 'zod';

export const port = z.coerce.number().int().min(0).max(65_535);
export const secret = z
  .string()
  .regex(
    /^[A-Za-z0-9_-]{43}$/,
    'must be 32 random bytes in base64url, e.g. from `openssl rand -base64 32 | tr +/ -_ | tr -d =`',
  );
export const flag = z.enum(['true', 'false']).transform((value) => value === 'true');
export const url = z.url({ protocol: /^https?$/, error: 'must be an http or https URL' });
/** Of EventStoreDB. */
export const eventStoreUrl = z
  .string()
  .regex(/^esdb(\+discover)?:\/\//, 'must begin with esdb:// or esdb+discover://');

/** Entries that are separated by commas. */
export const listed = (value: string): string[] =>
  value
    .split(',')
    .map((entry) => entry.trim())
    .filter(Boolean);
