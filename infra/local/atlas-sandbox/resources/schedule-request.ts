import * as z from 'zod';
import { AtlasRefusal } from '../refusal.ts';
import { type Cluster, zoneId } from '../state/clusters.ts';
import { derivedId } from '../state/derived-id.ts';
import {
  type CopySetting,
  DAY_MS,
  frequencies,
  isNvme,
  LAST_DAY,
  type PolicyItem,
  retentionMs,
  retentionUnits,
  type Schedule,
  upperFrequencies,
} from '../state/schedule.ts';

const readOnly = z.unknown();
const provider = z.enum(['AWS', 'AZURE', 'GCP']);
const region = { cloudProvider: provider, regionName: z.string().min(1) };
const policyItem = z.strictObject({
  id: z.string().optional(),
  frequencyType: z.enum(frequencies).optional(),
  frequencyInterval: z.int().optional(),
  retentionUnit: z.enum(retentionUnits).optional(),
  retentionValue: z.int().min(1).optional(),
});
const copySetting = z.strictObject({
  ...region,
  zoneId: z.string(),
  shouldCopyOplogs: z.boolean().default(false),
  frequencies: z.array(z.enum(upperFrequencies)).max(6).optional(),
  copyPolicyItems: z
    .array(
      z.strictObject({
        id: z.string().optional(),
        frequencyType: z.enum(frequencies),
        retentionUnit: z.enum(retentionUnits).optional(),
        retentionValue: z.int().min(1).optional(),
      }),
    )
    .max(6)
    .optional(),
  lastNumberOfSnapshots: z.int().min(1).max(500).optional(),
});
const deletedCopy = z.strictObject({ ...region, zoneId: z.string() }).partial();

/** A change of the schedule in the words of 2024-08-05; attributes that only answers have are passed over. */
export const scheduleChange = z.strictObject({
  policies: z.array(z.strictObject({ id: z.string().optional(), policyItems: z.array(policyItem) })).optional(),
  referenceHourOfDay: z.int().optional(),
  referenceMinuteOfHour: z.int().optional(),
  restoreWindowDays: z.int().optional(),
  autoExportEnabled: z.boolean().optional(),
  export: z.strictObject({ exportBucketId: z.string(), frequencyType: z.enum(['monthly', 'yearly']) }).optional(),
  useOrgAndGroupNamesInExportPrefix: z.boolean().optional(),
  autoCopySettingsEnabled: z.boolean().optional(),
  copyPolicyItemsEnabled: z.boolean().optional(),
  copySettings: z.array(copySetting).optional(),
  extraRetentionSettings: z
    .array(z.strictObject({ frequencyType: z.enum(upperFrequencies), retentionDays: z.int().min(1) }))
    .optional(),
  updateSnapshots: z.boolean().optional(),
  deleteSnapshots: z.boolean().optional(),
  updateCopySnapshots: z.boolean().optional(),
  deleteCopySnapshots: z.boolean().optional(),
  deleteCopiedBackups: z.array(deletedCopy).optional(),
  clusterId: readOnly.optional(),
  clusterName: readOnly.optional(),
  links: readOnly.optional(),
  nextSnapshot: readOnly.optional(),
});
export type ScheduleChange = z.infer<typeof scheduleChange>;

const earlierZone = { replicationSpecId: z.string() };

/** The same in the words of 2023-01-01, where a zone went by the id of its replication spec. */
export const earlierScheduleChange = scheduleChange.extend({
  copySettings: z.array(copySetting.omit({ zoneId: true }).extend(earlierZone)).optional(),
  deleteCopiedBackups: z
    .array(deletedCopy.omit({ zoneId: true }).extend({ replicationSpecId: z.string().optional() }))
    .optional(),
});

export function replicationSpecId(cluster: Cluster, zone: number): string {
  return derivedId(cluster.id, 'spec', zone);
}

/** The earlier words in today's. */
export function inCurrentWords(
  cluster: Cluster,
  { copySettings, deleteCopiedBackups: _, ...change }: z.infer<typeof earlierScheduleChange>,
): ScheduleChange {
  const zoneOf = (specId: string): string => {
    const zone = cluster.zones.findIndex((_zone, nth) => replicationSpecId(cluster, nth) === specId);
    return zone === -1 ? specId : zoneId(cluster, zone);
  };
  const current = copySettings?.map(({ replicationSpecId: id, ...setting }) => ({ ...setting, zoneId: zoneOf(id) }));
  return { ...change, ...(current && { copySettings: current }) };
}

interface Circumstances {
  readonly cluster: Cluster;
  readonly before: Schedule;
  readonly exportBuckets: ReadonlySet<string>;
}

/** The schedule after the change, or the refusal of a change Atlas does not allow. */
export function changedSchedule(change: ScheduleChange, { cluster, before, exportBuckets }: Circumstances): Schedule {
  refuseBadReference(change);
  const { policies, copySettings } = change;
  const items = policies ? changedItems(policies, cluster, before) : before.items;
  if (policies) refuseBadItems(items, cluster);
  const set = <K extends keyof Schedule & keyof ScheduleChange>(
    name: K,
  ): Schedule[K] | NonNullable<ScheduleChange[K]> => change[name] ?? before[name];
  const schedule: Schedule = {
    policyId: before.policyId,
    items,
    referenceHourOfDay: set('referenceHourOfDay'),
    referenceMinuteOfHour: set('referenceMinuteOfHour'),
    restoreWindowDays: set('restoreWindowDays'),
    autoExportEnabled: set('autoExportEnabled'),
    export: set('export'),
    useOrgAndGroupNamesInExportPrefix: set('useOrgAndGroupNamesInExportPrefix'),
    autoCopySettingsEnabled: set('autoCopySettingsEnabled'),
    copyPolicyItemsEnabled: set('copyPolicyItemsEnabled'),
    copySettings: copySettings ?? before.copySettings,
    extraRetentionSettings: set('extraRetentionSettings'),
  };
  refuseBadWindow(change, schedule, cluster);
  if (copySettings) for (const setting of copySettings) refuseBadCopy(setting, schedule, cluster);
  refuseBadExport(schedule, exportBuckets);
  return schedule;
}

function refuseBadReference({ referenceHourOfDay: hour, referenceMinuteOfHour: minute }: ScheduleChange): void {
  if ((hour === undefined) !== (minute === undefined)) {
    throw refusal('INVALID_REFERENCE_TIME_OF_DAY_MISSING_FIELDS', 'Hour and minute must be given together.');
  }
  if (hour !== undefined && (hour < 0 || hour > 23)) {
    throw refusal('INVALID_REFERENCE_HOUR_OF_DAY', 'The reference hour must be between 0 and 23.');
  }
  if (minute !== undefined && (minute < 0 || minute > 59)) {
    throw refusal('INVALID_REFERENCE_MINUTE_OF_HOUR', 'The reference minute must be between 0 and 59.');
  }
}

function changedItems(
  policies: NonNullable<ScheduleChange['policies']>,
  cluster: Cluster,
  { policyId, items: before }: Schedule,
): PolicyItem[] {
  const [policy, ...more] = policies;
  if (!policy || more.length > 0) throw refusal('INVALID_NUM_OF_POLICIES', 'Must have exactly one policy.');
  if (policy.id !== undefined && policy.id !== policyId) {
    throw refusal('INVALID_POLICY_ID', `${policy.id} is not the ID of the cluster's policy.`);
  }
  if (policy.policyItems.length === 0) {
    throw refusal('INVALID_NUM_OF_POLICY_ITEMS', 'Must have at least one policy item.');
  }
  return policy.policyItems.map(({ id, frequencyType, frequencyInterval, retentionUnit, retentionValue }, nth) => {
    const same = before.find((item) => item.id === id);
    if (id !== undefined && !same) throw refusal('INVALID_POLICY_ITEM_ID', `${id} is not the ID of a policy item.`);
    const isComplete = frequencyType && frequencyInterval !== undefined && retentionUnit && retentionValue;
    if (!isComplete) {
      throw refusal('MISSING_POLICY_ITEM_PARAMETERS', 'A policy item needs frequency, interval and retention.');
    }
    if (same && same.frequencyType !== frequencyType) {
      throw refusal('INVALID_FREQUENCY_TYPE_CHANGE', 'The frequency type of a policy item cannot be changed.');
    }
    const own =
      id ??
      derivedId(
        cluster.id,
        'item',
        frequencyType,
        nth,
        frequencyInterval,
        retentionMs({ retentionUnit, retentionValue }),
      );
    return { id: own, frequencyType, frequencyInterval, retentionUnit, retentionValue };
  });
}

const oneOf =
  (...allowed: number[]) =>
  (interval: number) =>
    allowed.includes(interval);
const upTo = (last: number) => (interval: number) => interval >= 1 && interval <= last;
const allows: Record<PolicyItem['frequencyType'], (interval: number) => boolean> = {
  hourly: oneOf(1, 2, 4, 6, 8, 12),
  daily: oneOf(1),
  weekly: upTo(7),
  monthly: (interval) => upTo(28)(interval) || interval === LAST_DAY,
  yearly: upTo(12),
  ondemand: oneOf(0, 1),
};

function refuseBadItems(items: readonly PolicyItem[], cluster: Cluster): void {
  const bad = (why: string): AtlasRefusal => refusal('INVALID_BACKUP_POLICY', why);
  for (const { frequencyType, frequencyInterval } of items) {
    if (
      !allows[frequencyType](frequencyInterval) ||
      (frequencyType === 'hourly' && isNvme(cluster) && frequencyInterval !== 12)
    ) {
      throw bad(`${frequencyInterval} is not an interval of a policy item that is ${frequencyType}.`);
    }
  }
  for (const type of ['hourly', 'daily'] as const) {
    if (items.filter(({ frequencyType }) => frequencyType === type).length > 1) {
      throw bad(`Must have at most one policy item that is ${type}.`);
    }
  }
  const order = frequencies.filter((type) => type !== 'ondemand');
  const kept = order.flatMap((type) => items.filter(({ frequencyType }) => frequencyType === type));
  for (const [nth, item] of kept.entries()) {
    const before = kept.slice(0, nth).filter(({ frequencyType }) => frequencyType !== item.frequencyType);
    if (before.some((each) => retentionMs(each) > retentionMs(item))) {
      throw bad('Less frequent policy items must keep their snapshots at least as long as more frequent ones.');
    }
  }
}

/** Continuous backup lives on the hourly snapshots: its window is never longer than they are kept. */
function refuseBadWindow(
  change: ScheduleChange,
  { items, restoreWindowDays }: Schedule,
  { pitEnabled }: Cluster,
): void {
  const days = change.restoreWindowDays;
  if (days !== undefined && days < 1) {
    throw refusal('INVALID_RESTORE_WINDOW', 'The restore window must be at least one day.');
  }
  const hourly = items.find(({ frequencyType }) => frequencyType === 'hourly');
  if (pitEnabled && !hourly) {
    throw refusal('INVALID_BACKUP_POLICY', 'Continuous Cloud Backup needs an hourly policy item.');
  }
  if (!hourly || (days === undefined && !pitEnabled)) return;
  if (restoreWindowDays * DAY_MS > retentionMs(hourly)) {
    throw refusal('INVALID_RESTORE_WINDOW', 'The restore window must not exceed the retention of hourly snapshots.');
  }
}

function refuseBadCopy(setting: CopySetting, schedule: Schedule, cluster: Cluster): void {
  const isKnown = cluster.zones.some((_, nth) => zoneId(cluster, nth) === setting.zoneId);
  const ways = [setting.frequencies, setting.copyPolicyItems, setting.lastNumberOfSnapshots];
  const isOneWay = ways.filter((way) => way !== undefined).length === 1;
  const isAllowedWay = schedule.copyPolicyItemsEnabled ? !setting.frequencies : !setting.copyPolicyItems;
  if (isKnown && isOneWay && isAllowedWay) return;
  throw refusal('INVALID_ATTRIBUTE', 'Invalid attribute copySettings specified.');
}

function refuseBadExport({ autoExportEnabled, export: target }: Schedule, buckets: ReadonlySet<string>): void {
  if (autoExportEnabled && !target) {
    throw refusal('MISSING_ATTRIBUTE', 'The required attribute export was not specified.');
  }
  if (target && !buckets.has(target.exportBucketId)) {
    const detail = `No export bucket with ID ${target.exportBucketId} exists.`;
    throw new AtlasRefusal(404, 'EXPORT_BUCKET_NOT_FOUND', detail, [target.exportBucketId]);
  }
}

function refusal(errorCode: string, detail: string): AtlasRefusal {
  return new AtlasRefusal(400, errorCode, detail);
}
