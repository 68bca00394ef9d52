import type { CopyFact, ScheduleFact, ZoneFact } from '../facts.ts';
import { intervalHours } from './time.ts';

/** Hours between copies: `null` where the setting does not say, Infinity where it copies nothing that comes by itself. */
export function copyIntervalHours(copy: CopyFact, { items }: ScheduleFact): number | null {
  // The last n snapshots are copied whatever made them.
  if (copy.last !== null) return copy.last > 0 ? shortest(items?.map((item) => intervalHours(item)) ?? [null]) : null;
  const types = copy.items?.map(({ type }) => type) ?? copy.frequencies;
  if (types === null || types === undefined) return null;
  const each = types.map((type) => hoursOf(type, items));
  return each.length === 0 ? Number.POSITIVE_INFINITY : shortest(each);
}

function hoursOf(type: string | null, items: ScheduleFact['items']): number | null {
  if (type === 'ondemand' || type === 'on_demand') return Number.POSITIVE_INFINITY;
  const own = (items ?? []).filter((item) => item.type === type).map((item) => intervalHours(item));
  if (items !== null && own.length === 0) return Number.POSITIVE_INFINITY;
  return shortest(own.length === 0 ? [null] : own);
}

function shortest(each: readonly (number | null)[]): number | null {
  const known = each.filter((hours) => hours !== null);
  return known.length === 0 ? null : Math.min(...known);
}

/** `yes` where it is another region than any node that can be elected lives in. */
export function isElsewhere(copy: CopyFact, zone: ZoneFact): 'yes' | 'no' | 'perhaps' {
  if (copy.region === null) return 'perhaps';
  const same = zone.regions.filter(
    ({ region, provider }) =>
      region === copy.region && (provider === null || copy.provider === null || provider === copy.provider),
  );
  if (same.some(({ electable }) => electable === true)) return 'no';
  const isOpen = zone.regions.some(({ region }) => region === null) || same.some(({ electable }) => electable === null);
  return isOpen ? 'perhaps' : 'yes';
}

export const describedCopy = (copy: CopyFact) => ({
  cloudProvider: copy.provider,
  regionName: copy.region,
  zoneId: copy.zoneId,
  shouldCopyOplogs: copy.oplogs,
  frequencies: copy.frequencies ? [...copy.frequencies] : null,
  copyPolicyItems: copy.items?.map(({ type }) => type) ?? null,
  lastNumberOfSnapshots: copy.last,
});
