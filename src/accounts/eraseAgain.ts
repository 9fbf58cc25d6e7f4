import type { PersonalData } from '../secrets/personalData.js';

/**
 * A backup of the vault brings back the keys of users who were erased since it was made. The events know
 * better: whose account is deleted has no key.
 * @returns the users that had to be erased again
 */
export async function eraseAgain(
  personal: PersonalData,
  deleted: Iterable<{ readonly ownerId: string }>,
): Promise<readonly string[]> {
  const restored = await personal.withKey([...deleted].map(({ ownerId }) => ownerId));
  if (restored.length > 0) await personal.erase(restored);
  return restored;
}
