import type { ItemFact, SnapshotFact } from '../facts.ts';
import { clusterRule, fail, notApplicable, pass, unknown, unread, warn } from './rule.ts';
import { DAY_MS, HOUR_MS, iso, leastRetentionMs } from './time.ts';

const MOST_TOLD = 10;

export const realRetention = clusterRule({
  id: 'BK-12',
  title: 'Every snapshot is kept as long as its policy item says',
  severity: 'high',
  motive:
    'What is promised is in the schedule, what is kept is on the snapshot. AWS Backup Audit Manager asks for the latter.',
  evidence:
    'expiresAt - createdAt of each snapshot, on-demand ones left out, against the items it names by id; labels are not looked at',
  remedy: 'Extend the retention of the snapshots themselves; a changed schedule applies to new snapshots only.',
  kinds: ['dedicated'],
  about: 'backup',
  judge({ snapshots, schedule, memory }, { options: { toleranceHours } }) {
    if (!snapshots.known) return unread(snapshots);
    if (!schedule.known) return unread(schedule);
    const items = schedule.value?.items ?? null;
    if (items === null) return unknown('the schedule does not say what its items are');
    const byId = new Map(items.flatMap((item) => (item.id === null ? [] : [[item.id, item] as const])));
    const areAllNamed = items.every(({ id }) => id !== null);
    const judged = snapshots.value
      .filter(({ status }) => status === 'completed' || status === null)
      .map((each) => ({ each, asked: askedFor(each, byId, areAllNamed), kept: keptFor(each) }));
    const short = judged.filter(
      ({ asked, kept }) => typeof asked === 'number' && kept !== null && kept < asked - toleranceHours * HOUR_MS,
    );
    const open = judged.filter(({ asked, kept }) => asked === 'open' || (typeof asked === 'number' && kept === null));
    const matched = judged.filter(({ asked, kept }) => typeof asked === 'number' && kept !== null);
    const evidence = {
      snapshots: judged.length,
      ofThisSchedule: matched.length,
      tooShort: short.length,
      examples: short.slice(0, MOST_TOLD).map(({ each, asked, kept }) => ({
        snapshotId: each.id,
        createdAt: each.createdAt === null ? null : iso(each.createdAt),
        keptDays: kept === null ? null : Math.round((kept / DAY_MS) * 100) / 100,
        askedDays: typeof asked === 'number' ? Math.round((asked / DAY_MS) * 100) / 100 : null,
      })),
    };
    if (short.length > 0) {
      const changed = memory.scheduleSince;
      const areOlder = changed !== null && short.every(({ each }) => (each.createdAt ?? changed) < changed);
      const told = `${short.length} snapshots are kept for less than their policy item says`;
      return areOlder ? warn(`${told}; all are from before the schedule changed`, evidence) : fail(told, evidence);
    }
    if (open.length > 0) return unknown('Atlas does not say what items snapshots are of or when they expire', evidence);
    if (matched.length === 0) return notApplicable('no snapshot was taken by this schedule', evidence);
    return pass('kept as long as their items say', evidence);
  },
});

/** What the longest of its items asks for; `open` where that is not told, `none` where no item of today made it. */
function askedFor(
  { items, createdAt, type }: SnapshotFact,
  byId: ReadonlyMap<string, ItemFact>,
  areAllNamed: boolean,
): number | 'open' | 'none' {
  // How long an on-demand snapshot is kept was said by whoever took it.
  if (type === 'onDemand') return 'none';
  if (items === null) return 'open';
  const own = items.flatMap((id) => byId.get(id) ?? []);
  if (own.length < items.length && !areAllNamed) return 'open';
  if (own.length === 0) return 'none';
  const least = own.map((item) => leastRetentionMs(item, createdAt ?? 0));
  const known = least.filter((each) => each !== null);
  return known.length < least.length ? 'open' : Math.max(...known);
}

const keptFor = ({ createdAt, expiresAt }: SnapshotFact): number | null =>
  createdAt === null || expiresAt === null ? null : expiresAt - createdAt;
