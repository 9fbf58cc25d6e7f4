import { randomUUID } from 'node:crypto';

const COMMAND_ID = /^[\x21-\x7e]{1,100}$/;

export const BAD_COMMAND_ID = '"commandId" must be 1 to 100 printable characters without spaces.';

/** A client's command id, a new one where none was sent, undefined where it can't be used. */
export function commandIdOf(given: string | null | undefined): string | undefined {
  if (given == null) return randomUUID();
  return COMMAND_ID.test(given) ? given : undefined;
}
