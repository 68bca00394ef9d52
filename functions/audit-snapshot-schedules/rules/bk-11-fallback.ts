import { clusterRule, fail, pass, unknown, unread, warn } from './rule.ts';
import { ageOf, instantOf, youngestFirst } from './snapshots.ts';
import { HOUR_MS, isoOrNull } from './time.ts';

export const fallback = clusterRule({
  id: 'BK-11',
  title: 'Snapshots are not fallback snapshots',
  severity: 'high',
  motive: 'Atlas takes a fallback when nothing else works; its data may be inconsistent, and it is a last resort.',
  evidence: 'snapshotType of the completed snapshots',
  remedy: 'Find out why ordinary snapshots fail; take one on demand once they work again.',
  kinds: ['dedicated'],
  about: 'snapshots',
  judge({ snapshots }, { options: { windowHours }, now }) {
    if (!snapshots.known) return unread(snapshots);
    const done = youngestFirst(snapshots.value).filter(({ status }) => status === 'completed' || status === null);
    const recent = done.filter((each) => ageOf(instantOf(each) ?? 0, now) <= windowHours * HOUR_MS);
    const [newest] = done;
    const isFallback = ({ type }: { type: string | null }): boolean => type === 'fallback';
    const evidence = {
      newestType: newest?.type ?? null,
      newestAt: isoOrNull(newest && instantOf(newest)),
      fallbacksInWindow: recent.filter(isFallback).length,
      snapshotsInWindow: recent.length,
      windowHours,
    };
    const newestAndRecent = newest ? [newest, ...recent] : recent;
    if (newestAndRecent.some(({ type, status }) => type === null || status === null)) {
      return unknown('Atlas does not say enough of the snapshots there are', evidence);
    }
    if (newest && isFallback(newest)) {
      return recent.every(isFallback)
        ? fail(`there is no ordinary snapshot of the last ${windowHours} hours`, evidence)
        : warn('the newest snapshot is a fallback', evidence);
    }
    return pass('the newest snapshot is no fallback', evidence);
  },
});
