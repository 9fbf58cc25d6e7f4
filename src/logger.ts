export type LogFields = Readonly<Record<string, unknown>>;

export interface Logger {
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, error: unknown, fields?: LogFields): void;
}

/** One JSON object a line on standard error. Callers pass no secret and no request body. */
export function jsonLogger(
  write: (line: string) => void = (line) => process.stderr.write(`${line}\n`),
): Logger {
  const log = (level: string, message: string, fields: LogFields = {}): void =>
    write(JSON.stringify({ time: new Date().toISOString(), level, message, ...fields }));
  return {
    info: (message, fields) => log('info', message, fields),
    warn: (message, fields) => log('warn', message, fields),
    error: (message, error, fields) =>
      log('error', message, { ...fields, error: error instanceof Error ? error.stack : String(error) }),
  };
}

export const silentLogger: Logger = { info: () => {}, warn: () => {}, error: () => {} };
