import type { SecretName } from '../config.js';

/** What one installation is and must stay (decision 6). Stream `installation-main`. */
export type InstallationEvent = {
  readonly type: 'InstallationCreated';
  readonly data: {
    /** Names this event store in position tokens. */
    readonly storeId: string;
    readonly profile: string;
    readonly fingerprints: Readonly<Record<SecretName, string>>;
  };
};

export const INSTALLATION_STREAM = 'installation-main';
