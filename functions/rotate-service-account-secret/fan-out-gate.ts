import { type FanOutStep, missingFrom } from './fan-out.ts';
import type { MayRetire } from './retirement.ts';

/**
 * Holds the replaced secret until every target of the settings is seen to hold the current version: looked at anew
 * each time, because a target that had it may have lost it.
 */
export const targetsAcknowledged =
  (step: Omit<FanOutStep, 'deadline' | 'log'>): MayRetire =>
  async ({ secret, entry, current }, deadline) => {
    const waitingFor = await missingFrom({ ...step, deadline }, secret, current.versionId, entry?.fanOut ?? []);
    return waitingFor.length === 0 ? { ok: true } : { ok: false, waitingFor };
  };

/**
 * Where nobody may look at the targets, as in the rotation itself: a secret that has some is left to the sweep, which
 * may. A rotation that needs the slot waits for it.
 */
export const targetsLeftToTheSweep: MayRetire = async ({ entry }) =>
  (entry?.fanOut.length ?? 0) > 0
    ? { ok: false, waitingFor: ['the sweep, which looks whether every target holds the new secret'] }
    : { ok: true };
