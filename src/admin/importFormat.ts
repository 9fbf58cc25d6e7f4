/** Rows of one request: the command line sends a file in several. */
export const IMPORT_BATCH = 50;

/** What a row may say, as its columns are called. */
export const IMPORT_COLUMNS = [
  'email',
  'name',
  'plan',
  'plan_until',
  'key',
  'key_name',
  'key_scopes',
] as const;
