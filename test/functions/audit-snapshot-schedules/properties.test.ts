/** What holds for every cluster and every policy. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeCluster, judgeProject } from '../../../functions/audit-snapshot-schedules/engine.ts';
import {
  type ClusterFacts,
  noMemory,
  type Read,
  type SnapshotFact,
} from '../../../functions/audit-snapshot-schedules/facts.ts';
import { loadPolicy, PolicyInvalid } from '../../../functions/audit-snapshot-schedules/policy/load.ts';
import { ruleOptions } from '../../../functions/audit-snapshot-schedules/policy/options.ts';
import { assertProperty } from '../../support/properties.ts';
import {
  ALERTS,
  ago,
  cluster,
  compliance,
  copy,
  DAY,
  HOUR,
  item,
  known,
  NOW,
  project,
  restore,
  schedule,
  snapshot,
} from './facts-builder.ts';

const orNull = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { freq: 12 });
const anySnapshot: fc.Arbitrary<SnapshotFact> = fc
  .record({
    age: fc.integer({ min: -HOUR, max: 20 * DAY }),
    status: orNull(fc.constantFrom('completed', 'completed', 'completed', 'failed', 'queued', 'inProgress')),
    type: orNull(fc.constantFrom('scheduled', 'scheduled', 'onDemand', 'fallback')),
    frequency: fc.constantFrom('hourly', 'daily', 'weekly', 'ondemand'),
    kept: orNull(fc.integer({ min: 1, max: 40 })),
    items: orNull(fc.subarray(['item-hourly', 'item-daily', 'item-weekly', 'other'])),
    copyRegions: orNull(fc.subarray(['EU_WEST_1', 'US_WEST_2'])),
    members: orNull(fc.subarray(['a', 'b', 'c'])),
    customerKey: orNull(fc.constant('key')),
    isDated: fc.boolean(),
  })
  .map(({ age, kept, isDated, ...rest }) => {
    const at = ago(age);
    const createdAt = rest.status === 'completed' || isDated ? at : null;
    return snapshot(at, { ...rest, createdAt, expiresAt: kept === null ? null : at + kept * DAY });
  });
const anyItem = fc
  .record({
    type: orNull(fc.constantFrom('hourly', 'daily', 'weekly', 'monthly', 'yearly', 'ondemand')),
    interval: orNull(fc.constantFrom(1, 6, 12, 40)),
    unit: orNull(fc.constantFrom('days', 'weeks', 'months', 'years')),
    value: orNull(fc.integer({ min: 1, max: 60 })),
    id: orNull(fc.constantFrom('item-hourly', 'item-daily', 'item-weekly')),
  })
  .map((each) => ({ ...item('daily', 1, 1), ...each }));
/** Atlas may leave an item without an id, and never gives two the same. */
const anyItems = (maxLength: number) =>
  fc.uniqueArray(anyItem, { maxLength, comparator: (a, b) => a.id !== null && a.id === b.id });
const anyCopy = fc
  .record({
    region: orNull(fc.constantFrom('EU_WEST_1', 'US_EAST_1')),
    zoneId: orNull(fc.constantFrom('zone-1', 'zone-2')),
    oplogs: orNull(fc.boolean()),
    frequencies: orNull(fc.subarray(['hourly', 'daily', 'weekly', 'on_demand'])),
    last: orNull(fc.integer({ min: 1, max: 3 })),
  })
  // A setting says which snapshots by their frequencies or by how many of the last, and never both.
  .map((each) => copy(each.last === null ? each : { ...each, frequencies: null }));
const anySchedule = fc
  .record({
    items: orNull(anyItems(4)),
    nextSnapshot: orNull(fc.integer({ min: -2 * HOUR, max: DAY }).map((ms) => NOW + ms)),
    restoreWindowDays: orNull(fc.integer({ min: 0, max: 14 })),
    autoExport: orNull(fc.boolean()),
    autoCopy: orNull(fc.boolean()),
    copies: orNull(fc.array(anyCopy, { maxLength: 2 })),
  })
  .map(schedule);
const anyRestore = fc
  .record({
    delivery: orNull(fc.constantFrom('automated', 'download')),
    targetProjectId: orNull(fc.constantFrom('lab', 'project', 'shop')),
    targetCluster: orNull(fc.constantFrom('prod', 'restored')),
    finishedAt: orNull(fc.integer({ min: 0, max: 400 * DAY }).map(ago)),
    failed: orNull(fc.boolean()),
    cancelled: orNull(fc.boolean()),
    expired: orNull(fc.boolean()),
  })
  .map(restore);
const anyCompliance = orNull(
  fc
    .record({
      state: orNull(fc.constantFrom('ACTIVE', 'ACTIVE', 'ENABLING', 'DISABLING')),
      copyProtection: orNull(fc.boolean()),
      pit: orNull(fc.boolean()),
      restoreWindowDays: orNull(fc.integer({ min: 0, max: 9 })),
      items: orNull(anyItems(3)),
      deletable: orNull(fc.boolean()),
      updatedAt: orNull(fc.integer({ min: 0, max: 2 * DAY }).map(ago)),
    })
    .map(compliance),
);
const anyEvent = fc.record({
  type: orNull(
    fc.constantFrom(
      'CPS_OPLOG_BEHIND',
      'CPS_RESTORE_SUCCESSFUL',
      'CPS_COPY_SNAPSHOT_FAILED',
      'CPS_DATA_PROTECTION_APPROVED_FOR_DISABLEMENT',
    ),
  ),
  at: orNull(fc.integer({ min: 0, max: 30 * DAY }).map(ago)),
  cluster: orNull(fc.constantFrom('prod', 'other')),
});
const anyAlert = fc.record({
  type: orNull(fc.constantFrom(...ALERTS)),
  enabled: orNull(fc.boolean()),
  notifications: orNull(fc.integer({ min: 0, max: 2 })),
});
const anyCluster: fc.Arbitrary<ClusterFacts> = fc
  .record({
    kind: fc.constantFrom('dedicated' as const, 'dedicated' as const, 'flex' as const, 'free' as const),
    createdAt: orNull(fc.integer({ min: 0, max: 100 * DAY }).map(ago)),
    paused: orNull(fc.constant(false)),
    backupEnabled: orNull(fc.constantFrom(true, true, true, false)),
    pitEnabled: orNull(fc.boolean()),
    retainBackups: orNull(fc.boolean()),
    terminationProtection: orNull(fc.boolean()),
    encryptionProvider: orNull(fc.constantFrom('NONE', 'AWS')),
    sharded: fc.boolean(),
    tags: fc.subarray([
      { key: 'tier', value: '1' },
      { key: 'owner', value: 'x' },
    ]),
    schedule: anySchedule,
    snapshots: fc.array(anySnapshot, { maxLength: 12 }),
    restores: fc.array(anyRestore, { maxLength: 3 }),
    compliance: anyCompliance,
    events: fc.array(anyEvent, { maxLength: 3 }),
    alerts: fc.array(anyAlert, { maxLength: 6 }),
    scheduleSince: orNull(fc.integer({ min: 0, max: 20 * DAY }).map(ago)),
  })
  .map(({ schedule: own, snapshots, restores, compliance: guard, events, alerts, scheduleSince, ...rest }) =>
    cluster({
      ...rest,
      shards: rest.sharded ? 3 : 1,
      project: project({ compliance: known(guard), events: known(events), alerts: known(alerts) }),
      schedule: known(own),
      snapshots: known(snapshots),
      restores: known(restores),
      memory: { ...noMemory, scheduleSince },
    }),
  );

const ASKED = {
  organization: { rules: { 'BK-18': { targets: ['lab'] }, 'BK-15': { enabled: true }, 'BK-23': { enabled: true } } },
};
const judge = (facts: ClusterFacts, policy: object = ASKED) => {
  const loaded = loadPolicy(policy, NOW);
  return new Map(
    [...judgeCluster(facts, loaded, NOW), ...judgeProject(facts.project, loaded, NOW)].map((each) => [each.rule, each]),
  );
};
const failing = (facts: ClusterFacts, policy?: object): string[] =>
  [...judge(facts, policy).values()].filter(({ status }) => status === 'FAIL').map(({ rule }) => rule);

/** Facts with one thing less known: a value that is null, or a whole read that failed. */
const lessKnown: fc.Arbitrary<(facts: ClusterFacts) => ClusterFacts> = fc.nat().map((seed) => (facts) => {
  const places: ((copied: ClusterFacts) => void)[] = [];
  const walk = (value: unknown, path: readonly string[]): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [key, each] of Object.entries(value)) {
      if (key === 'tags' || key === 'memory') continue;
      const here = [...path, key];
      if (isRead(each) && each.known)
        places.push((copied) => put(copied, here, { known: false, operation: 'x', cause: 'forbidden', reason: 'y' }));
      if (NULLABLE.has(key) && each !== null) places.push((copied) => put(copied, here, null));
      walk(each, here);
    }
  };
  walk(facts, []);
  const copied = structuredClone(facts);
  places[seed % places.length]?.(copied);
  return copied;
});
const NULLABLE = new Set(
  'createdAt paused backupEnabled pitEnabled retainBackups terminationProtection encryptionProvider status type expiresAt items copyRegions members restoreWindowDays nextSnapshot autoExport copies interval unit value id region zoneId oplogs frequencies last delivery targetProjectId targetCluster finishedAt failed cancelled expired state copyProtection pit deletable updatedAt enabled notifications at cluster electable'.split(
    ' ',
  ),
);
// Ids of things are identities, and not something Atlas may leave out; those of policy items are.
const isIdentity = (path: readonly string[]): boolean =>
  path.at(-1) === 'id' && !path.includes('items') && !path.includes('zones');
const isRead = (value: unknown): value is Read<unknown> =>
  typeof value === 'object' && value !== null && 'known' in value;
function put(target: object, path: readonly string[], value: unknown): void {
  if (
    isIdentity(path) ||
    (path.at(-1) === 'value' && isReadAt(target, path.slice(0, -1))) ||
    (path.at(-1) === 'at' && isReadAt(target, path.slice(0, -1)))
  )
    return;
  const parent = path.slice(0, -1).reduce((each, key) => Reflect.get(each, key), target);
  Reflect.set(parent, path.at(-1)!, value);
}
const isReadAt = (target: object, path: readonly string[]): boolean =>
  isRead(path.reduce((each: object, key) => Reflect.get(each, key), target));

describe('whatever the facts', () => {
  it('the engine answers, and never breaks', () => {
    assertProperty(
      fc.property(anyCluster, (facts) => {
        for (const { evidence } of judge(facts).values()) expect(evidence).not.toHaveProperty('error');
      }),
      { numRuns: 400 },
    );
  });

  it('the order of snapshots, items, copies, restores and events changes nothing', () => {
    assertProperty(
      fc.property(anyCluster, (facts) => {
        const turned = <Value>(each: Read<readonly Value[]>): Read<readonly Value[]> =>
          each.known ? { ...each, value: each.value.toReversed() } : each;
        const other = {
          ...facts,
          snapshots: turned(facts.snapshots),
          restores: turned(facts.restores),
          project: { ...facts.project, events: turned(facts.project.events), alerts: turned(facts.project.alerts) },
        };
        const statuses = (of: ClusterFacts) => [...judge(of).values()].map(({ rule, status }) => `${rule} ${status}`);
        expect(statuses(other)).toEqual(statuses(facts));
      }),
      { numRuns: 300 },
    );
  });

  it('knowing less never turns a failure into a pass', () => {
    assertProperty(
      fc.property(anyCluster, fc.array(lessKnown, { minLength: 1, maxLength: 3 }), (facts, removals) => {
        const less = removals.reduce((known, remove) => remove(known), facts);
        const after = judge(less);
        for (const rule of failing(facts)) expect(after.get(rule as 'BK-01')?.status, rule).not.toBe('PASS');
      }),
      { numRuns: 1_500 },
    );
  });

  it('a stricter policy never fails less', () => {
    const strictness = Object.entries(ruleOptions).flatMap(([rule, options]) =>
      Object.entries(options).map(([name, { direction }]) => ({ rule, name, direction })),
    );
    const stricter = fc.record({
      option: fc.constantFrom(...strictness.filter(({ direction }) => direction === 'least' || direction === 'most')),
      by: fc.double({ min: 0, max: 3, noNaN: true }),
    });
    assertProperty(
      fc.property(anyCluster, stricter, (facts, { option: { rule, name, direction }, by }) => {
        const value = direction === 'least' ? Math.round(by * 40) : Math.round(by * 10) / 10;
        const policy = structuredClone(ASKED) as { organization: { rules: Record<string, Record<string, unknown>> } };
        policy.organization.rules[rule] = { ...policy.organization.rules[rule], [name]: value };
        const before = failing(facts);
        // What is weaker is refused, and nothing to compare.
        const after = attempt(() => failing(facts, policy));
        if (after) expect(after).toEqual(expect.arrayContaining(before));
      }),
      { numRuns: 1_000 },
    );
  });

  it('the strict profile never fails less than the default', () => {
    assertProperty(
      fc.property(anyCluster, (facts) => {
        expect(failing(facts, { ...ASKED, profile: 'aws-backup-audit' })).toEqual(
          expect.arrayContaining(failing(facts)),
        );
      }),
      { numRuns: 300 },
    );
  });
});

function attempt<Value>(work: () => Value): Value | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof PolicyInvalid) return undefined;
    throw error;
  }
}
