import { toASCII, toUnicode } from 'tr46';
import { keyedHash } from '../secrets/secrets.js';

const EMAIL = /^[^\s\p{C}@<>"(),:;\\[\]]{1,64}@[^\s\p{C}@.]+(\.[^\s\p{C}@.]+)+$/u;
const PARTS = /^([^\s\p{C}@<>"(),:;\\[\]]{1,64})@([^\s\p{C}@]+)$/u;
const MAX_LENGTH = 254; // RFC 5321, section 4.5.3.1.3

/** An e-mail, and the names under which an account with it may stand. */
export interface Email {
  /** As it is compared, stored, and mailed to. */
  readonly address: string;
  /**
   * The same mailbox as the former rule may have written it, and `address`: the hash of one of them names its
   * stream. As it was written here comes first, so that of two accounts which that rule kept apart each finds
   * its own.
   */
  readonly spellings: readonly string[];
  /**
   * What the former rule held equal and mail servers may tell apart. Somebody who once wrote their e-mail so
   * has an account under it; with a password, or a mail to what is stored, they show that it is theirs.
   */
  readonly alike: readonly string[];
  /** One for all that is alike: what counts attempts goes by it, so that no spelling gives more of them. */
  readonly loosest: string;
}

/**
 * Reads an e-mail. Merged is what mail servers hold the same: the domain in any case and as U-label or A-label
 * (UTS 46, non-transitional). Of the local part ASCII letters are compared without case, as no server in use
 * tells them apart; all else counts as it is written (RFC 8398, section 5): `ß` is not `ss`, `ı` is not `i`,
 * a full-width letter is no letter, and a composed one is not its parts.
 * @returns undefined for what can't be an e-mail
 */
export function parseEmail(text: string): Email | undefined {
  const address = fold(text);
  if (address === undefined) return undefined;
  const local = text.trim().replace(/@.*$/su, '');
  const domain = address.slice(address.lastIndexOf('@') + 1);
  const { domain: letters, error } = toUnicode(domain, UTS46);
  const inLetters = error ? undefined : formerFold(`${local}@${letters}`);
  const names = [...new Set([formerFold(text), address, inLetters])].filter((name) => name !== undefined);
  return {
    address,
    spellings: names.filter((name) => fold(name) === address),
    alike: names.filter((name) => fold(name) !== address),
    loosest: `${local.normalize('NFKC').toLowerCase()}@${domain}`,
  };
}

/** @returns the e-mail as it is compared; undefined when it can't be one */
export const normaliseEmail = (text: string): string | undefined => fold(text);

/** Names an e-mail's stream. Permanent: another key would make every e-mail free again. */
export function emailHash(key: Buffer, normalised: string): string {
  return keyedHash(key, 'email', normalised);
}

/** Not Node's own `url.domainToASCII`: it decodes `%6d`, reads numbers as IPv4, and changes with Node. */
const UTS46 = { checkBidi: true, checkJoiners: true, transitionalProcessing: false, verifyDNSLength: true };

function fold(text: string): string | undefined {
  if (text.length > 2 * MAX_LENGTH) return undefined;
  const [, local = '', domain = ''] = PARTS.exec(text.trim()) ?? [];
  const email = `${local.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())}@${foldDomain(domain)}`;
  return isEmail(email) ? email : undefined;
}

const PLAIN = /^(?!.*\bxn--)[\0-\x7f]*$/i;

function foldDomain(domain: string): string {
  if (PLAIN.test(domain)) return domain.toLowerCase();
  const plain = domain.normalize('NFKC').toLowerCase();
  // What no DNS has is merged with nothing.
  return toASCII(domain, UTS46) ?? toASCII(plain, UTS46) ?? plain;
}

/** The rule until now, which streams of earlier accounts are named by. */
function formerFold(text: string): string | undefined {
  const email = text.trim().normalize('NFKC').toLowerCase();
  return isEmail(email) ? email : undefined;
}

const isEmail = (text: string): boolean => text.length <= MAX_LENGTH && EMAIL.test(text);
