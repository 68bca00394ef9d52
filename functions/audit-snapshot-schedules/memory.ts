import type { ClusterFacts, MemoryFact, RestoreFact, ScheduleFact } from './facts.ts';
import { noMemory } from './facts.ts';
import type { ClusterReads } from './inventory/cluster.ts';
import type { ClusterBase } from './inventory/normalise.ts';
import type { ClusterMemory, Kept } from './records.ts';
import { DAY_MS } from './rules/time.ts';

const REMEMBERED_MS = 40 * DAY_MS;

/** What this run knows and Atlas will not tell the next one. */
export function remember(
  base: ClusterBase,
  reads: ClusterReads,
  before: ClusterMemory | undefined,
  migration: ClusterFacts['migration'],
  now: number,
): ClusterMemory {
  const { backupEnabled, pitEnabled, paused, zones } = base;
  const facts = before?.facts ?? noMemory;
  const since = (is: boolean | null, was: boolean | null | undefined, kept: number | null): number | null =>
    is === true && was === false ? now : kept;
  const schedule = kept(reads.schedule, before?.schedule);
  const hasChanged =
    reads.schedule.known &&
    before?.schedule !== undefined &&
    signature(before.schedule.value) !== signature(reads.schedule.value);
  const snapshots = kept(reads.snapshots, before?.snapshots);
  const restores = kept(reads.restores, before?.restores);
  const exports = kept(reads.exports, before?.exports);
  return {
    base: { backupEnabled, pitEnabled, paused, zones },
    ...(schedule && { schedule }),
    ...(snapshots && { snapshots }),
    ...(restores && { restores }),
    ...(exports && { exports }),
    facts: {
      backupSince: since(backupEnabled, before?.base.backupEnabled, facts.backupSince),
      pitSince: since(pitEnabled, before?.base.pitEnabled, facts.pitSince),
      scheduleSince: hasChanged ? now : facts.scheduleSince,
      inactive: inactive(facts, paused === true, migration, before, now),
      restoreStarts: reads.restores.known ? starts(reads.restores.value, facts, now) : facts.restoreStarts,
    },
  };
}

const kept = <Value>(
  now: { known: true; value: Value; at: number } | { known: false },
  then: Kept<Value> | undefined,
): Kept<Value> | undefined => (now.known ? { value: now.value, at: now.at } : then);

/** What makes it another schedule: when the next snapshot is due does not. */
const signature = (schedule: ScheduleFact | null): string =>
  JSON.stringify(schedule && { items: schedule.items, hour: schedule.referenceHour, minute: schedule.referenceMinute });

function inactive(
  { inactive: stretches }: MemoryFact,
  isPaused: boolean,
  migration: ClusterFacts['migration'],
  before: ClusterMemory | undefined,
  now: number,
): MemoryFact['inactive'] {
  const known = stretches.filter(({ to }) => to === null || to > now - REMEMBERED_MS);
  const open = known.some(({ to }) => to === null);
  if (!isPaused && migration === null) return known.map((each) => (each.to === null ? { ...each, to: now } : each));
  if (open) return known;
  // Paused since some time after it was last seen running; of what nobody saw, everything is possible.
  const from = migration?.since ?? before?.snapshots?.at ?? before?.schedule?.at ?? 0;
  return [...known, { from, to: null }];
}

/** When each unfinished restore was first seen: Atlas tells only when one is finished. */
function starts(restores: readonly RestoreFact[], { restoreStarts }: MemoryFact, now: number): Record<string, number> {
  return Object.fromEntries(
    restores.flatMap(({ id, finishedAt }) => {
      const known = restoreStarts[id] ?? (finishedAt === null ? now : undefined);
      return known === undefined ? [] : [[id, known]];
    }),
  );
}
