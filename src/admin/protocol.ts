import { socketName } from '../dataDir.js';

/** The socket on which the process that uses a data directory takes an operator's commands. */
export const adminSocket = (dataDir: string): string => `${socketName(dataDir, 'admin')}.sock`;

/** One line of JSON from the command line to the process. */
export interface AdminRequest {
  readonly command: string;
  readonly args: unknown;
}

/** Lines of JSON back: any number of `progress`, then one of the others. */
export type AdminReply =
  | { readonly kind: 'progress'; readonly value: unknown }
  | { readonly kind: 'result'; readonly value: unknown }
  | { readonly kind: 'refused'; readonly message: string };
