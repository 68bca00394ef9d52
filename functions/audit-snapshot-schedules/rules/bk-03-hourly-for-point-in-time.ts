import { clusterRule, fail, notApplicable, pass, unknown, unread } from './rule.ts';
import { retentionDays } from './time.ts';

export const hourlyForPointInTime = clusterRule({
  id: 'BK-03',
  title: 'Point-in-time recovery has the hourly snapshots it stands on',
  severity: 'high',
  motive: 'Atlas replays the oplog from hourly snapshots: without them, or beyond their retention, there is no window.',
  evidence: 'hourly policy items of the schedule against restoreWindowDays',
  remedy: 'Add an hourly policy item, and keep it at least as long as restoreWindowDays.',
  kinds: ['dedicated'],
  about: 'backup',
  judge({ pitEnabled, schedule }) {
    if (pitEnabled === false) return notApplicable('point-in-time recovery is off', { pitEnabled });
    if (pitEnabled === null) return unknown('Atlas does not say whether point-in-time recovery is on');
    if (!schedule.known) return unread(schedule);
    const items = schedule.value?.items ?? null;
    const windowDays = schedule.value?.restoreWindowDays ?? null;
    if (items === null) return unknown('the schedule does not say what its items are');
    const hourly = items.filter(({ type }) => type === 'hourly');
    const kept = hourly.map(retentionDays);
    const evidence = { hourlyItems: hourly.length, hourlyRetentionDays: kept, restoreWindowDays: windowDays };
    if (hourly.length === 0) {
      return items.some(({ type }) => type === null)
        ? unknown('an item does not say how often it runs', evidence)
        : fail('point-in-time recovery is on without an hourly item', evidence);
    }
    const longest = Math.max(...kept.map((days) => days ?? 0));
    if (windowDays === null) return unknown('the schedule does not say how far the window reaches', evidence);
    if (windowDays <= longest) return pass('hourly snapshots are kept as long as the window reaches', evidence);
    return kept.includes(null)
      ? unknown('an hourly item does not say how long it is kept', evidence)
      : fail(`the window is ${windowDays} days, and hourly snapshots are kept for ${longest}`, evidence);
  },
});
