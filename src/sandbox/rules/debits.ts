import type { Seconds } from './time.js';

/** What becomes of a direct debit, so long after it was ordered. */
export interface Debit {
  readonly fails: boolean;
  readonly after: Seconds;
}

const NOW = 0;
const LATER = 180;

/** Stripe's test accounts that the sandbox has. */
const ACCOUNTS: Readonly<Record<string, Debit>> = {
  AT611904300234573201: { fails: false, after: NOW },
  AT321904300235473204: { fails: false, after: LATER },
  AT861904300235473202: { fails: true, after: NOW },
  AT051904300235473205: { fails: true, after: LATER },
  IT60X0542811101000000123456: { fails: true, after: NOW },
};

/** What the number of a test account stands for; undefined for a number that is none of them. */
export const debitOf = (iban: string): Debit | undefined => ACCOUNTS[iban.replace(/\s/g, '').toUpperCase()];
