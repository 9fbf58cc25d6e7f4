import { ErrorType, isCommandError } from '@eventstore/db-client';

/** Errors that another try would only repeat; after any other an append may be stored. */
const FINAL: ReadonlySet<ErrorType> = new Set([
  ErrorType.ACCESS_DENIED,
  ErrorType.INVALID_ARGUMENT,
  ErrorType.INVALID_TRANSACTION,
  ErrorType.MISSING_REQUIRED_METADATA_PROPERTY,
  ErrorType.STREAM_DELETED,
  ErrorType.UNSUPPORTED,
]);

/** Another try would only repeat it; after any other error an append may be stored. */
export function isRefusal(error: unknown): boolean {
  return !(error instanceof Error) || (isCommandError(error) && FINAL.has(error.type));
}
