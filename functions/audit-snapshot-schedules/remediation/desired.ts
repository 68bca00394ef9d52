/** The schedule a cluster should have: what it has, raised to what the policy asks for and nowhere lowered. Pure. */
import type { BackupSchedule } from '../../../lib/atlas/operations/backup-schedules.ts';
import type { BackupPolicyItem } from '../../../lib/atlas/operations/shapes.ts';
import type { ItemFact } from '../facts.ts';
import type { Resolved } from '../policy/resolve.ts';
import { intervalHours, retentionDays } from '../rules/time.ts';

const DAYS_IN: Readonly<Record<string, number>> = { days: 1, weeks: 7, months: 30, years: 365 };
const HOURLY = [12, 8, 6, 4, 2, 1];
const SATURDAY = 6;
const LAST_DAY = 40;
const DECEMBER = 12;

/** An item of a schedule, complete. */
interface Item {
  readonly id?: string | undefined;
  readonly type: string;
  readonly interval: number;
  readonly unit: string;
  readonly value: number;
}

export interface Desired {
  /** One sentence for each thing that is raised; none where nothing has to be. */
  readonly changes: readonly string[];
  readonly items: readonly Item[];
  readonly restoreWindowDays: number | undefined;
}

/** Why a schedule is left alone. */
export interface LeftAlone {
  readonly reason: string;
}

export function desiredSchedule(
  schedule: BackupSchedule,
  policy: Resolved,
  { isNvme, pitEnabled }: { readonly isNvme: boolean; readonly pitEnabled: boolean },
): Desired | LeftAlone {
  const given = itemsOf(schedule);
  if (!given) return { reason: 'Atlas does not say everything about its policy items' };
  const changes: string[] = [];
  let items = [...given];
  const asks = (rule: 'BK-02' | 'BK-03' | 'BK-04' | 'BK-05' | 'BK-06' | 'BK-07'): boolean => policy.rule(rule).enabled;
  const add = (item: Item): void => {
    items = [...items, item];
    changes.push(`adds ${worded(item)}`);
  };
  const swap = (old: Item, item: Item): void => {
    items = items.map((each) => (each === old ? item : each));
    changes.push(`raises ${worded(old)} to ${worded(item)}`);
  };
  /** Sees to it that snapshots that come at least every so often are kept for so long. */
  const keep = (type: string, everyHours: number, days: number, fresh: Omit<Item, 'unit' | 'value'>): void => {
    const kept = Math.max(0, ...items.filter((item) => hoursOf(item) <= everyHours).map(daysOf));
    if (kept >= days) return;
    const own = items.find((item) => item.type === type);
    if (own) swap(own, raised(own, days));
    else add({ ...fresh, unit: 'days', value: days });
  };

  const window = schedule.restoreWindowDays ?? undefined;
  let restoreWindowDays = window;
  if (pitEnabled && asks('BK-02') && window !== undefined && window < policy.options('BK-02').minWindowDays) {
    restoreWindowDays = Math.ceil(policy.options('BK-02').minWindowDays);
    changes.push(`raises the restore window from ${window} to ${restoreWindowDays} days`);
  }
  if (asks('BK-04')) {
    const { maxIntervalHours } = policy.options('BK-04');
    if (!items.some((item) => hoursOf(item) <= maxIntervalHours)) oftener(maxIntervalHours);
  }
  if (asks('BK-05')) keep('daily', 24, policy.options('BK-05').minDays, { type: 'daily', interval: 1 });
  if (asks('BK-06')) {
    const { minWeeklyDays, minMonthlyDays, minYearlyDays } = policy.options('BK-06');
    keep('weekly', 7 * 24, minWeeklyDays, { type: 'weekly', interval: SATURDAY });
    keep('monthly', 31 * 24, minMonthlyDays, { type: 'monthly', interval: LAST_DAY });
    keep('yearly', 366 * 24, minYearlyDays, { type: 'yearly', interval: DECEMBER });
  }
  if (pitEnabled && asks('BK-03')) {
    const hourly = items.filter(({ type }) => type === 'hourly').toSorted((a, b) => daysOf(b) - daysOf(a))[0];
    const days = restoreWindowDays ?? 1;
    if (!hourly) add({ type: 'hourly', interval: isNvme ? 12 : 6, unit: 'days', value: days });
    else if (daysOf(hourly) < days) swap(hourly, raised(hourly, days));
  }
  // Atlas takes no schedule in which a rarer snapshot is kept shorter, whoever asked for it.
  for (const rarer of items.toSorted((a, b) => hoursOf(a) - hoursOf(b))) {
    const longest = Math.max(0, ...items.filter((each) => hoursOf(each) < hoursOf(rarer)).map(daysOf));
    const now = items.find((each) => each === rarer || (each.id !== undefined && each.id === rarer.id)) ?? rarer;
    const needed = changes.length > 0 || asks('BK-07');
    if (needed && rarer.type !== 'ondemand' && daysOf(now) < longest) swap(now, raised(now, longest));
  }
  return { changes, items, restoreWindowDays };

  function oftener(maxHours: number): void {
    const interval = (isNvme ? [12] : HOURLY).find((hours) => hours <= maxHours);
    const hourly = items.find(({ type }) => type === 'hourly');
    if (hourly && interval !== undefined) swap(hourly, { ...hourly, interval });
    else if (maxHours >= 24) add({ type: 'daily', interval: 1, unit: 'days', value: Math.max(1, longestOften()) });
    else if (interval !== undefined) add({ type: 'hourly', interval, unit: 'days', value: 1 });
  }
  function longestOften(): number {
    return asks('BK-05') ? policy.options('BK-05').minDays : 1;
  }
}

/** The whole schedule to send. PATCH replaces every list it is given, so every list is given as it is. */
export function requestFor(schedule: BackupSchedule, { items, restoreWindowDays }: Desired) {
  const { autoExportEnabled, export: target, useOrgAndGroupNamesInExportPrefix, extraRetentionSettings } = schedule;
  const exportBucketId = target?.exportBucketId ?? undefined;
  const frequencyType = target?.frequencyType ?? undefined;
  const copies = copiesOf(schedule);
  const [policy] = schedule.policies ?? [];
  const hour = schedule.referenceHourOfDay ?? undefined;
  const minute = schedule.referenceMinuteOfHour ?? undefined;
  return {
    policies: [
      {
        ...(policy?.id != null && { id: policy.id }),
        policyItems: items.map(({ id, type, interval, unit, value }) => ({
          ...(id !== undefined && { id }),
          frequencyType: type,
          frequencyInterval: interval,
          retentionUnit: unit,
          retentionValue: value,
        })),
      },
    ],
    ...(hour !== undefined && minute !== undefined && { referenceHourOfDay: hour, referenceMinuteOfHour: minute }),
    ...(restoreWindowDays !== undefined && restoreWindowDays > 0 && { restoreWindowDays }),
    ...(autoExportEnabled != null && { autoExportEnabled }),
    ...(exportBucketId !== undefined && {
      export: { exportBucketId, ...(frequencyType !== undefined && { frequencyType }) },
    }),
    ...(useOrgAndGroupNamesInExportPrefix != null && { useOrgAndGroupNamesInExportPrefix }),
    ...(copies && { copySettings: copies, copyPolicyItemsEnabled: schedule.copyPolicyItemsEnabled === true }),
    ...(extraRetentionSettings?.every((each) => each.frequencyType != null && each.retentionDays != null) && {
      extraRetentionSettings: extraRetentionSettings.map(({ frequencyType: type, retentionDays: days }) => ({
        frequencyType: type,
        retentionDays: days,
      })),
    }),
  };
}

/** Copy settings as they are; undefined, so that they are left alone, where one can't be said back word for word. */
function copiesOf({ copySettings, copyPolicyItemsEnabled }: BackupSchedule) {
  const copies = (copySettings ?? []).map((copy) => {
    const { cloudProvider, regionName, zoneId, shouldCopyOplogs, frequencies, copyPolicyItems, lastNumberOfSnapshots } =
      copy;
    const form =
      copyPolicyItemsEnabled === true && copyPolicyItems
        ? { copyPolicyItems: copyPolicyItems.map((item) => withoutNulls(item)) }
        : lastNumberOfSnapshots != null
          ? { lastNumberOfSnapshots }
          : frequencies && copyPolicyItemsEnabled !== true
            ? { frequencies }
            : undefined;
    if (!form || zoneId == null) return undefined;
    return withoutNulls({ cloudProvider, regionName, zoneId, shouldCopyOplogs, ...form });
  });
  return copies.length > 0 && copies.every((copy) => copy !== undefined) ? copies : undefined;
}

const withoutNulls = (value: object): Record<string, unknown> =>
  Object.fromEntries(Object.entries(value).filter(([, each]) => each !== null && each !== undefined));

function itemsOf({ policies }: BackupSchedule): Item[] | undefined {
  if (policies?.length !== 1) return undefined;
  const items = (policies[0]?.policyItems ?? []).map(itemOf);
  return items.every((item) => item !== undefined) ? items : undefined;
}

function itemOf({
  id,
  frequencyType,
  frequencyInterval,
  retentionUnit,
  retentionValue,
}: BackupPolicyItem): Item | undefined {
  if (frequencyType == null || frequencyInterval == null || retentionUnit == null || retentionValue == null)
    return undefined;
  const item = {
    id: id ?? undefined,
    type: frequencyType,
    interval: frequencyInterval,
    unit: retentionUnit,
    value: retentionValue,
  };
  const isKnown = frequencyType === 'ondemand' || intervalHours(factOf(item)) !== null;
  return isKnown && retentionDays(item) !== null ? item : undefined;
}

const factOf = ({ id, ...item }: Item): ItemFact => ({ ...item, id: id ?? null });
const hoursOf = (item: Item): number => intervalHours(factOf(item)) ?? Number.POSITIVE_INFINITY;
const daysOf = (item: Item): number => retentionDays(item) ?? 0;

/** Kept for at least so many days, in the unit it has; never shorter than before. */
function raised(item: Item, days: number): Item {
  const unit = DAYS_IN[item.unit] ?? 1;
  return { ...item, value: Math.max(item.value, Math.ceil(days / unit)) };
}

const worded = ({ type, interval, unit, value }: Item): string => `${type} (${interval}) kept ${value} ${unit}`;

/** Whether nothing in `after` is less than in `before`: the last check before anything is sent, and the first after. */
export function lowers(before: BackupSchedule, after: BackupSchedule): string | undefined {
  const [old, now] = [itemsOf(before), itemsOf(after)];
  if (!old || !now) return 'Atlas does not say everything about its policy items';
  for (const item of old) {
    const successor = now.find((each) => each.id === item.id) ?? now.find((each) => each.type === item.type);
    if (!successor) return `${worded(item)} would be gone`;
    if (daysOf(successor) < daysOf(item) || hoursOf(successor) > hoursOf(item)) {
      return `${worded(item)} would become ${worded(successor)}`;
    }
  }
  if ((after.restoreWindowDays ?? 0) < (before.restoreWindowDays ?? 0)) return 'the restore window would shrink';
  if (before.autoExportEnabled === true && after.autoExportEnabled !== true) return 'exports would end';
  if ((after.copySettings ?? []).length < (before.copySettings ?? []).length) return 'a copy would end';
  if ((after.extraRetentionSettings ?? []).length < (before.extraRetentionSettings ?? []).length) {
    return 'extra retention would end';
  }
  return undefined;
}
