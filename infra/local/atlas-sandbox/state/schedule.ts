import { type Cluster, zoneId } from './clusters.ts';
import { derivedId } from './derived-id.ts';

const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

export const frequencies = ['hourly', 'daily', 'weekly', 'monthly', 'yearly', 'ondemand'] as const;
export type Frequency = (typeof frequencies)[number];
export const retentionUnits = ['days', 'weeks', 'months', 'years'] as const;
export type RetentionUnit = (typeof retentionUnits)[number];
export const upperFrequencies = ['HOURLY', 'DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY', 'ON_DEMAND'] as const;
export type UpperFrequency = (typeof upperFrequencies)[number];

export interface PolicyItem {
  readonly id: string;
  readonly frequencyType: Frequency;
  readonly frequencyInterval: number;
  readonly retentionUnit: RetentionUnit;
  readonly retentionValue: number;
}

export interface CopyPolicyItem {
  readonly id?: string | undefined;
  readonly frequencyType: Frequency;
  readonly retentionUnit?: RetentionUnit | undefined;
  readonly retentionValue?: number | undefined;
}

export interface CopySetting {
  readonly cloudProvider: 'AWS' | 'AZURE' | 'GCP';
  readonly regionName: string;
  readonly zoneId: string;
  readonly shouldCopyOplogs: boolean;
  readonly frequencies?: readonly UpperFrequency[] | undefined;
  readonly copyPolicyItems?: readonly CopyPolicyItem[] | undefined;
  readonly lastNumberOfSnapshots?: number | undefined;
}

/** A cluster's backup policy. */
export interface Schedule {
  readonly policyId: string;
  readonly items: readonly PolicyItem[];
  readonly referenceHourOfDay: number;
  readonly referenceMinuteOfHour: number;
  readonly restoreWindowDays: number;
  readonly autoExportEnabled: boolean;
  readonly export?: { readonly exportBucketId: string; readonly frequencyType: 'monthly' | 'yearly' } | undefined;
  readonly useOrgAndGroupNamesInExportPrefix: boolean;
  readonly autoCopySettingsEnabled: boolean;
  readonly copyPolicyItemsEnabled: boolean;
  readonly copySettings: readonly CopySetting[];
  readonly extraRetentionSettings: readonly {
    readonly frequencyType: UpperFrequency;
    readonly retentionDays: number;
  }[];
}

const daysPerUnit: Record<RetentionUnit, number> = { days: 1, weeks: 7, months: 30, years: 365 };

/** How long a snapshot of this item is kept; months have 30 days and years 365 here. */
export function retentionMs({
  retentionUnit,
  retentionValue,
}: Pick<PolicyItem, 'retentionUnit' | 'retentionValue'>): number {
  return retentionValue * daysPerUnit[retentionUnit] * DAY_MS;
}

/** What Atlas gives a new dedicated cluster; the reference time is the minute it was created in. */
export function defaultSchedule(cluster: Cluster): Schedule {
  const item = (
    frequencyType: Frequency,
    frequencyInterval: number,
    retentionValue: number,
    retentionUnit: RetentionUnit,
  ): PolicyItem => ({
    id: derivedId(cluster.id, 'item', frequencyType),
    frequencyType,
    frequencyInterval,
    retentionUnit,
    retentionValue,
  });
  return {
    policyId: derivedId(cluster.id, 'policy'),
    items: [
      item('hourly', isNvme(cluster) ? 12 : 6, 7, 'days'),
      item('daily', 1, 7, 'days'),
      item('weekly', 6, 4, 'weeks'),
      item('monthly', LAST_DAY, 12, 'months'),
      item('yearly', 12, 1, 'years'),
    ],
    referenceHourOfDay: cluster.createdAt.getUTCHours(),
    referenceMinuteOfHour: cluster.createdAt.getUTCMinutes(),
    restoreWindowDays: 7,
    autoExportEnabled: false,
    useOrgAndGroupNamesInExportPrefix: false,
    autoCopySettingsEnabled: false,
    copyPolicyItemsEnabled: false,
    copySettings: [],
    extraRetentionSettings: [],
  };
}

export function isNvme({ tier }: Cluster): boolean {
  return tier.endsWith('_NVME');
}

/** The `frequencyInterval` of the last day of every month. */
export const LAST_DAY = 40;

const everyStep = function* (from: number, to: number, offset: number, step: number): Generator<number> {
  const first = from + ((((offset - from) % step) + step) % step);
  for (let time = first; time < to; time += step) yield time;
};

/** When the item asks for a snapshot, from `from` on and before `to`, in milliseconds. */
export function* occurrences(
  { referenceHourOfDay, referenceMinuteOfHour }: Schedule,
  { frequencyType, frequencyInterval }: PolicyItem,
  from: number,
  to: number,
): Generator<number> {
  const reference = referenceHourOfDay * HOUR_MS + referenceMinuteOfHour * 60_000;
  const isWithin = (time: number): boolean => time >= from && time < to;
  const year = new Date(from).getUTCFullYear();
  switch (frequencyType) {
    case 'hourly':
      yield* everyStep(from, to, reference, frequencyInterval * HOUR_MS);
      break;
    case 'daily':
      yield* everyStep(from, to, reference, DAY_MS);
      break;
    case 'weekly':
      // The first day of all was a Thursday; Monday is 1.
      yield* everyStep(from, to, reference + ((frequencyInterval + 3) % 7) * DAY_MS, 7 * DAY_MS);
      break;
    case 'monthly':
      for (let month = new Date(from).getUTCMonth(); Date.UTC(year, month) < to; month += 1) {
        const isLast = frequencyInterval === LAST_DAY;
        const time = Date.UTC(year, isLast ? month + 1 : month, isLast ? 0 : frequencyInterval) + reference;
        if (isWithin(time)) yield time;
      }
      break;
    case 'yearly':
      for (let each = year; Date.UTC(each) < to; each += 1) {
        const time = Date.UTC(each, frequencyInterval - 1) + reference;
        if (isWithin(time)) yield time;
      }
      break;
    case 'ondemand':
      break;
  }
}

export function occursAt(schedule: Schedule, item: PolicyItem, time: number): boolean {
  return occurrences(schedule, item, time, time + 1).next().done !== true;
}

/** The first snapshot any item asks for at `from` or later. */
export function nextOccurrence(schedule: Schedule, from: number): number | undefined {
  const times = schedule.items.flatMap((item) => {
    const { value } = occurrences(schedule, item, from, from + 367 * DAY_MS).next();
    return typeof value === 'number' ? [value] : [];
  });
  return times.length === 0 ? undefined : Math.min(...times);
}

/** A copy setting for the cluster's only zone. */
export function copyTo(
  cluster: Cluster,
  regionName: string,
  change: Partial<Omit<CopySetting, 'regionName'>> = {},
): CopySetting {
  return { cloudProvider: 'AWS', regionName, zoneId: zoneId(cluster, 0), shouldCopyOplogs: false, ...change };
}
