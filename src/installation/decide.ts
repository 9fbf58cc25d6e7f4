import type { SecretName } from '../config.js';
import type { Decider } from '../eventsourcing/decider.js';
import { accept, refuse } from '../eventsourcing/decider.js';
import type { InstallationEvent } from './events.js';

export interface StartInstallation {
  readonly storeId: string;
  readonly profile: string;
  readonly fingerprints: Readonly<Record<SecretName, string>>;
}

type State = InstallationEvent['data'] | undefined;

/** Every start goes through here: the first one is recorded, a later one has to match it. */
export const installationDecider: Decider<State, StartInstallation, InstallationEvent> = {
  initial: undefined,
  evolve: (_state, event) => event.data,
  decide: (state, start) => {
    if (!state) return accept({ type: 'InstallationCreated', data: start });
    if (state.profile !== start.profile) {
      return refuse(
        'PROFILE_CHANGED',
        `These data belong to the profile "${state.profile}", and PROFILE is "${start.profile}". Set PROFILE=${state.profile}, or use another DATA_DIR or database.`,
      );
    }
    for (const name of Object.keys(state.fingerprints) as SecretName[]) {
      if (state.fingerprints[name] !== start.fingerprints[name]) {
        return refuse(
          'SECRET_CHANGED',
          `${name} is not the one these data were made with: with another one keys, e-mails or personal data could not be read. Restore it (the fingerprint is ${state.fingerprints[name]}).`,
        );
      }
    }
    return accept();
  },
};
