import { randomUUID } from 'node:crypto';
import { idProblem, MAX_ID_BYTES } from '../text/text.js';

export const BAD_COMMAND_ID = `"commandId" must have 1 to ${MAX_ID_BYTES} bytes, none of them a control character.`;

/** How the schema describes a command id. */
export const COMMAND_ID = `Idempotency key of your own, 1 to ${MAX_ID_BYTES} bytes of UTF-8, e.g. a UUID. A retry with it changes nothing and returns the first result without secrets`;

/** A client's command id as it came, a new one where none was sent, undefined where it can't be used. */
export function commandIdOf(given: string | null | undefined): string | undefined {
  if (given == null) return randomUUID();
  return idProblem('commandId', given) === undefined ? given : undefined;
}
