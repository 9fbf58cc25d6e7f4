import { z } from 'zod';
import { zodQuantity } from './commandRoute.js';

/** Quantities of one command. */
const MAX_QUANTITIES = 20;

export const Quantities = z
  .array(z.strictObject({ meter: z.string().max(100), quantity: zodQuantity }))
  .max(MAX_QUANTITIES);

export const ShownQuantity = z.object({ meter: z.string(), quantity: z.string() });

export const ShownReservation = z.object({
  id: z.string(),
  status: z.enum(['RESERVED', 'SETTLED', 'RELEASED', 'EXPIRED']),
  held: z.array(ShownQuantity),
  settled: z.array(ShownQuantity),
  expiresAt: z.iso.datetime(),
});

export const ShownLimit = z.object({
  name: z.string(),
  meter: z.string(),
  window: z.string(),
  source: z.string(),
  mode: z.string(),
  max: z.string(),
  used: z.string(),
  remaining: z.string(),
  startedAt: z.iso.datetime().nullable(),
  resetAt: z.iso.datetime().nullable(),
});
