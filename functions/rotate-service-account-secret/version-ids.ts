import { createHash } from 'node:crypto';

/**
 * Version ids that say what a version was made for. The same at every try, so that doing it twice is doing it once, and
 * readable afterwards by whoever knows what to look for: nothing else has to be remembered.
 */
const versionFor = (purpose: string): string => createHash('sha256').update(purpose).digest('hex');

/** The version that takes the place of one whose secret died while it was promoted. */
export const takenBackVersion = (deadVersionId: string): string => versionFor(`taken back: ${deadVersionId}`);

/** The version that takes the place of one that was rolled back. */
export const rolledBackVersion = (replacedVersionId: string): string => versionFor(`rolled back: ${replacedVersionId}`);

/** The version that takes the place of a leaked secret. */
export const revocationVersion = (leakedSecretId: string): string => versionFor(`revoked: ${leakedSecretId}`);
