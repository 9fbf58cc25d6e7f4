import type { PersonalData } from '../secrets/personalData.js';

/**
 * A backup of the vault brings back the keys of whom was erased since it was made. The events know better: whose
 * account is deleted has no key.
 * @param erased the users of deleted accounts, and whatever else is erased with an account
 * @returns those that had to be erased again
 */
export async function eraseAgain(
  personal: PersonalData,
  erased: readonly string[],
): Promise<readonly string[]> {
  const restored = await personal.withKey(erased);
  if (restored.length > 0) await personal.erase(restored);
  return restored;
}
