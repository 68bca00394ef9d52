/** Hard situations, judged by the pure engine; each is named after its number in the list of scenarios. */
import { describe, expect, it } from 'vitest';
import { noMemory, type SnapshotFact } from '../../../functions/audit-snapshot-schedules/facts.ts';
import { legacyFact, scheduleFact } from '../../../functions/audit-snapshot-schedules/inventory/normalise.ts';
import { loadPolicy, PolicyInvalid } from '../../../functions/audit-snapshot-schedules/policy/load.ts';
import {
  ago,
  cluster,
  compliance,
  copy,
  DAY,
  defaultItems,
  every,
  HOUR,
  item,
  known,
  NOW,
  project,
  restore,
  schedule,
  snapshot,
  unreadable,
  verdict,
} from './facts-builder.ts';

const RULES = Array.from({ length: 24 }, (_, at) => `BK-${String(at + 1).padStart(2, '0')}`);

describe('a cluster with which nothing is wrong', () => {
  it('fails nothing', () => {
    const found = RULES.map((rule) => [rule, verdict(rule, cluster()).status]);
    expect(found.filter(([, status]) => status !== 'PASS')).toEqual([
      ['BK-15', 'NOT_APPLICABLE'],
      ['BK-19', 'UNKNOWN'],
      ['BK-21', 'NOT_APPLICABLE'],
      ['BK-22', 'NOT_APPLICABLE'],
      ['BK-23', 'NOT_APPLICABLE'],
      ['BK-24', 'NOT_APPLICABLE'],
    ]);
  });
});

describe('freshness', () => {
  it('A1: a Saturday snapshot labelled weekly is fresh all the same', () => {
    const items = [item('daily', 1, 2), item('weekly', 6, 3, 'weeks')];
    const saturday = snapshot(ago(18 * HOUR), {
      frequency: 'weekly',
      items: ['item-daily', 'item-weekly'],
      expiresAt: ago(18 * HOUR) + 21 * DAY,
    });
    const friday = snapshot(ago(42 * HOUR), {
      frequency: 'daily',
      items: ['item-daily'],
      expiresAt: ago(42 * HOUR) + 2 * DAY,
    });
    const facts = cluster({ schedule: known(schedule({ items })), snapshots: known([saturday, friday]) });
    expect(verdict('BK-08', facts)).toMatchObject({ status: 'PASS', evidence: { frequencyLabel: 'weekly' } });
    expect(verdict('BK-12', facts).status).toBe('PASS');
  });

  it('A2: a fallback of an hour ago does not hide that the last ordinary snapshot is 50 hours old', () => {
    const facts = cluster({
      snapshots: known([snapshot(ago(HOUR), { type: 'fallback' }), snapshot(ago(50 * HOUR))]),
    });
    expect(verdict('BK-08', facts).status).toBe('FAIL');
    expect(verdict('BK-11', facts).status).toBe('FAIL');
    const mixed = cluster({ snapshots: known([snapshot(ago(HOUR), { type: 'fallback' }), snapshot(ago(5 * HOUR))]) });
    expect(verdict('BK-11', mixed).status).toBe('WARN');
  });

  it('A3: forty snapshots on demand are fresh, and the schedule is dead all the same', () => {
    const byHand = every(HOUR, 40, { type: 'onDemand', items: [], frequency: 'ondemand' });
    const facts = cluster({ snapshots: known([...byHand, snapshot(ago(60 * HOUR))]) });
    expect(verdict('BK-08', facts).status).toBe('PASS');
    expect(verdict('BK-10', facts)).toMatchObject({ status: 'FAIL', evidence: { onDemand: 40 } });
  });

  it('A7: a paused cluster takes no snapshots by design, and keeps those it has', () => {
    const kept = snapshot(ago(60 * DAY), { items: ['item-weekly'], expiresAt: ago(60 * DAY) + 3 * DAY });
    const facts = cluster({ paused: true, snapshots: known([kept]) });
    for (const rule of ['BK-08', 'BK-09', 'BK-10']) expect(verdict(rule, facts).status).toBe('NOT_APPLICABLE');
    expect(verdict('BK-12', facts).status).toBe('FAIL');
  });

  it('A8: a cluster created two hours ago is pending until two intervals have passed', () => {
    const young = {
      createdAt: ago(2 * HOUR),
      snapshots: known([]),
      schedule: known(schedule({ items: [item('daily', 1, 7)] })),
    };
    expect(verdict('BK-08', cluster(young))).toMatchObject({
      status: 'NOT_APPLICABLE',
      evidence: { pendingUntil: '2026-03-03T10:00:00.000Z' },
    });
    expect(verdict('BK-08', cluster({ ...young, createdAt: ago(49 * HOUR) })).status).toBe('FAIL');
    const enabled = { ...noMemory, backupSince: ago(2 * HOUR) };
    expect(verdict('BK-08', cluster({ ...young, createdAt: ago(90 * DAY), memory: enabled })).status).toBe(
      'NOT_APPLICABLE',
    );
  });

  it('A9: a sharded snapshot counts only when it holds every shard and the configuration', () => {
    const parts = ['shard-0', 'shard-1', 'shard-2', 'config-0'];
    const of = (at: number, members: string[]) =>
      snapshot(at, { members, configServer: 'DEDICATED', copyRegions: null });
    const sharded = { sharded: true, shards: 3, configServer: 'DEDICATED' };
    const whole = cluster({ ...sharded, snapshots: known([of(ago(HOUR), parts)]) });
    expect(verdict('BK-08', whole).status).toBe('PASS');
    const torn = cluster({ ...sharded, snapshots: known([of(ago(HOUR), parts.slice(1)), of(ago(30 * HOUR), parts)]) });
    expect(verdict('BK-08', torn)).toMatchObject({ status: 'FAIL', evidence: { ageHours: 30 } });
    const embedded = cluster({
      ...sharded,
      configServer: 'EMBEDDED',
      snapshots: known([snapshot(ago(HOUR), { members: parts.slice(0, 3), configServer: 'EMBEDDED' })]),
    });
    expect(verdict('BK-08', embedded).status).toBe('PASS');
  });

  it('A11: the order snapshots come in does not matter', () => {
    const many = every(6 * HOUR, 700);
    for (const ordered of [many, many.toReversed(), [...many.slice(350), ...many.slice(0, 350)]]) {
      const facts = cluster({ snapshots: known(ordered) });
      expect(verdict('BK-08', facts)).toMatchObject({ status: 'PASS', evidence: { ageHours: 1 } });
    }
  });

  it('A32: a snapshot from two minutes ahead is from now, and one from next week is not believed', () => {
    const ahead = cluster({ snapshots: known([snapshot(NOW + 2 * 60_000)]) });
    expect(verdict('BK-08', ahead)).toMatchObject({ status: 'PASS', evidence: { ageHours: 0 } });
    const absurd = cluster({ snapshots: known([snapshot(NOW + 7 * DAY), snapshot(ago(40 * HOUR))]) });
    expect(verdict('BK-08', absurd)).toMatchObject({ status: 'FAIL', evidence: { ageHours: 40 } });
  });

  it('A33: a snapshot in progress for twenty minutes is not stuck, and the one before it counts', () => {
    const busy = snapshot(0, { status: 'inProgress', createdAt: null, begunAt: ago(20 * 60_000) });
    const facts = cluster({ snapshots: known([busy, ...every(6 * HOUR, 28)]) });
    expect(verdict('BK-08', facts)).toMatchObject({ status: 'PASS', evidence: { ageHours: 1 } });
    expect(verdict('BK-10', facts).status).toBe('PASS');
    const stuck = { ...busy, begunAt: ago(7 * HOUR) };
    expect(verdict('BK-10', cluster({ snapshots: known([stuck, ...every(6 * HOUR, 28)]) })).status).toBe('FAIL');
  });

  it.each([
    [9.9, 'PASS'],
    [10.1, 'WARN'],
    [12.9, 'WARN'],
    [13.1, 'FAIL'],
  ])('with an interval of six hours, %s hours are %s', (hours, status) => {
    expect(verdict('BK-08', cluster({ snapshots: known([snapshot(ago(hours * HOUR))]) })).status).toBe(status);
  });

  it('has a cap of 25 hours, whatever the schedule says', () => {
    const weekly = schedule({ items: [item('weekly', 6, 4, 'weeks')] });
    const of = (hours: number) => cluster({ schedule: known(weekly), snapshots: known([snapshot(ago(hours * HOUR))]) });
    expect(verdict('BK-08', of(24.9)).status).toBe('PASS');
    expect(verdict('BK-08', of(25.1)).status).toBe('FAIL');
  });

  it('is not known where snapshots could not be read', () => {
    expect(verdict('BK-08', cluster({ snapshots: unreadable() }))).toMatchObject({
      status: 'UNKNOWN',
      evidence: { cause: 'forbidden' },
    });
  });
});

describe('point in time', () => {
  const oplogLost = (hours: number) =>
    project({ events: known([{ type: 'CPS_OPLOG_BEHIND', at: ago(hours * HOUR), cluster: 'prod' }]) });

  it('A4: a lost oplog shortens the window that is configured', () => {
    expect(verdict('BK-02', cluster({ project: oplogLost(30) }))).toMatchObject({
      status: 'FAIL',
      evidence: { restoreWindowDays: 7, effectiveWindowDays: 1.25, windowBegins: '2026-02-28T06:00:00.000Z' },
    });
    expect(verdict('BK-02', cluster({ project: oplogLost(24 * 8) })).status).toBe('PASS');
    const elsewhere = project({ events: known([{ type: 'CPS_OPLOG_BEHIND', at: ago(HOUR), cluster: 'other' }]) });
    expect(verdict('BK-02', cluster({ project: elsewhere })).status).toBe('PASS');
  });

  it('A5: after a restore nothing can be restored to until the next snapshot is complete', () => {
    const events = known([{ type: 'CPS_RESTORE_REQUESTED_AUDIT', at: ago(3 * HOUR), cluster: 'prod' }]);
    const blind = cluster({ project: project({ events }), snapshots: known([snapshot(ago(5 * HOUR))]) });
    expect(verdict('BK-02', blind)).toMatchObject({
      status: 'WARN',
      evidence: { blindFrom: '2026-03-01T09:00:00.000Z', blindTo: null },
    });
    const seeing = cluster({ project: project({ events }), snapshots: known([snapshot(ago(HOUR))]) });
    expect(verdict('BK-02', seeing)).toMatchObject({
      status: 'PASS',
      evidence: { blindTo: '2026-03-01T11:00:00.000Z' },
    });
  });
});

describe('a live migration', () => {
  const under = (days: number) =>
    cluster({ snapshots: known([]), migration: { id: 'm-1', state: 'WORKING', since: ago(days * DAY) } });

  it('A6: pauses the snapshots of its destination, and for no more than seven days', () => {
    for (const rule of ['BK-08', 'BK-09', 'BK-10', 'BK-11', 'BK-14']) {
      expect(verdict(rule, under(2))).toMatchObject({ status: 'NOT_APPLICABLE', evidence: { migrationId: 'm-1' } });
    }
    expect(verdict('BK-08', under(2)).reason).toContain('m-1');
    expect(verdict('BK-08', under(8)).status).toBe('FAIL');
    for (const state of ['COMPLETE', 'EXPIRED', 'FAILED']) {
      const over = { ...under(2), migration: { id: 'm-1', state, since: ago(2 * DAY) } };
      expect(verdict('BK-08', over).status).toBe('FAIL');
    }
    expect(verdict('BK-01', under(2)).status).toBe('PASS');
  });
});

describe('retention', () => {
  it('A17: a month counts as 30 days, and both ways to count are said', () => {
    const monthly = schedule({ items: [item('daily', 1, 1, 'months')] });
    expect(verdict('BK-05', cluster({ schedule: known(monthly) }))).toMatchObject({
      status: 'PASS',
      evidence: { retentionDays: 30, items: [{ retentionDays: 30, calendarDays: '28-31' }] },
    });
    const february = Date.parse('2026-02-10T00:00:00Z');
    const taken = snapshot(february, { items: ['item-daily'], expiresAt: Date.parse('2026-03-10T00:00:00Z') });
    expect(verdict('BK-12', cluster({ schedule: known(monthly), snapshots: known([taken]) })).status).toBe('PASS');
    const short = { ...taken, expiresAt: Date.parse('2026-03-09T00:00:00Z') };
    expect(verdict('BK-12', cluster({ schedule: known(monthly), snapshots: known([short]) })).status).toBe('FAIL');
  });

  it('A18: the last day of the month and December are items like others', () => {
    const rare = schedule({ items: [item('monthly', 40, 12, 'months'), item('yearly', 12, 1, 'years')] });
    const facts = cluster({
      schedule: known(rare),
      snapshots: known([
        snapshot(Date.parse('2026-02-28T12:00:00Z'), {
          items: ['item-monthly'],
          expiresAt: Date.parse('2027-02-28T12:00:00Z'),
        }),
      ]),
    });
    expect(verdict('BK-04', facts)).toMatchObject({ status: 'FAIL', evidence: { intervalHours: 744 } });
    expect(verdict('BK-12', facts).status).toBe('PASS');
    const leap = snapshot(Date.parse('2028-02-29T12:00:00Z'), {
      items: ['item-yearly'],
      expiresAt: Date.parse('2029-02-28T12:00:00Z'),
    });
    expect(
      verdict(
        'BK-12',
        cluster({ schedule: known(rare), snapshots: known([leap]) }),
        undefined,
        Date.parse('2028-06-01T00:00:00Z'),
      ).status,
    ).toBe('PASS');
  });

  it('A29: what extra retention keeps is shown and does not count', () => {
    const extra = schedule({ extraRetention: [{ type: 'daily', days: 28 }] });
    expect(verdict('BK-05', cluster({ schedule: known(extra) }), { profile: 'aws-backup-audit' })).toMatchObject({
      status: 'FAIL',
      evidence: { retentionDays: 7, minDays: 35, extraRetention: [{ frequencyType: 'daily', retentionDays: 28 }] },
    });
    const guarded = project({ compliance: known(compliance()) });
    expect(verdict('BK-16', cluster({ project: guarded }), { profile: 'aws-backup-audit' }).status).toBe('FAIL');
  });

  it('fails where a rarer snapshot is kept shorter', () => {
    const odd = schedule({ items: [item('daily', 1, 35), item('weekly', 6, 2, 'weeks')] });
    expect(verdict('BK-07', cluster({ schedule: known(odd) }))).toMatchObject({
      status: 'FAIL',
      evidence: { broken: ['weekly for 14 days, daily for 35'] },
    });
  });

  it('does not take a snapshot of an item without a name for one of none', () => {
    const nameless = { ...item('daily', 1, 30), id: null };
    const short = snapshot(ago(DAY), { items: ['item-daily'], expiresAt: ago(DAY) + 2 * DAY });
    const facts = cluster({ schedule: known(schedule({ items: [nameless] })), snapshots: known([short]) });
    expect(verdict('BK-12', facts).status).toBe('UNKNOWN');
  });

  it('asks nothing of how long an on-demand snapshot is kept, whatever items it names', () => {
    const fine = snapshot(ago(DAY));
    const byHand = (items: readonly string[] | null) => snapshot(ago(DAY), { type: 'onDemand', items, expiresAt: NOW });
    for (const items of [['item-daily'], [], null])
      expect(verdict('BK-12', cluster({ snapshots: known([fine, byHand(items)]) })).status).toBe('PASS');
  });

  it('maps a legacy schedule to the same words', () => {
    const legacy = legacyFact({
      snapshotIntervalHours: 6,
      snapshotRetentionDays: 2,
      dailySnapshotRetentionDays: 7,
      weeklySnapshotRetentionWeeks: 4,
      monthlySnapshotRetentionMonths: 0,
      pointInTimeWindowHours: 24,
    });
    const facts = cluster({ schedule: known(legacy), pitEnabled: false });
    expect(verdict('BK-01', facts).evidence).toMatchObject({ legacy: true });
    expect(verdict('BK-04', facts).status).toBe('PASS');
    expect(verdict('BK-05', facts).status).toBe('PASS');
    expect(verdict('BK-06', facts)).toMatchObject({ status: 'FAIL', evidence: { keptDays: { week: 28, month: 28 } } });
  });
});

describe('history', () => {
  it('finds a hole by its length, and midnight makes none', () => {
    const aroundMidnight = [
      snapshot(Date.parse('2026-02-27T23:58:00Z')),
      snapshot(Date.parse('2026-03-01T00:03:00Z')),
      snapshot(Date.parse('2026-02-26T23:58:00Z')),
    ];
    const daily = schedule({ items: [item('daily', 1, 2)] });
    expect(verdict('BK-09', cluster({ schedule: known(daily), snapshots: known(aroundMidnight) })).status).toBe('PASS');
    const holed = every(6 * HOUR, 28).filter((_, nth) => nth < 10 || nth > 13);
    expect(verdict('BK-09', cluster({ snapshots: known(holed) }))).toMatchObject({
      status: 'FAIL',
      evidence: { holeCount: 1, holes: [{ hours: 30 }] },
    });
  });

  it('knows of a pause, and of when the schedule became what it is', () => {
    const holed = every(6 * HOUR, 28).filter((_, nth) => nth < 10 || nth > 13);
    const paused = { ...noMemory, inactive: [{ from: ago(3.3 * DAY), to: ago(2.5 * DAY) }] };
    expect(verdict('BK-09', cluster({ snapshots: known(holed), memory: paused })).status).not.toBe('FAIL');
    const changed = { ...noMemory, scheduleSince: ago(2 * DAY) };
    expect(verdict('BK-09', cluster({ snapshots: known(holed), memory: changed })).status).toBe('PASS');
  });
});

describe('what Atlas does not say of a snapshot', () => {
  const daily = known(schedule({ items: [item('daily', 1, 7)] }));
  const holes = (after: readonly SnapshotFact[]) =>
    verdict('BK-09', cluster({ schedule: daily, snapshots: known([...every(DAY, 7).slice(4), ...after]) }));

  it('is no hole for certain where a hole would only end with it', () => {
    expect(holes([snapshot(ago(HOUR))]).status).toBe('FAIL');
    expect(holes([]).status).toBe('PASS');
    for (const unsure of [{ type: null }, { status: null }, { createdAt: null }, { createdAt: null, begunAt: null }])
      expect(holes([snapshot(ago(HOUR), unsure)]).status).toBe('UNKNOWN');
  });

  it('neither shows that the schedule works nor that it does not', () => {
    const taken = (change: Partial<SnapshotFact>) =>
      verdict('BK-10', cluster({ snapshots: known(every(6 * HOUR, 28, change)) })).status;
    expect(taken({})).toBe('PASS');
    expect(taken({ items: [] })).toBe('FAIL');
    for (const unsure of [{ items: null }, { type: null }, { status: null }, { createdAt: null }])
      expect(taken(unsure)).toBe('UNKNOWN');
  });
});

describe('failures', () => {
  const failed = (hours: number) => snapshot(0, { status: 'failed', createdAt: null, begunAt: ago(hours * HOUR) });
  it.each([
    ['one within a day', [failed(20), ...every(6 * HOUR, 28)], 'WARN'],
    ['one of the day before', [failed(30), ...every(6 * HOUR, 28)], 'PASS'],
    ['two in a row', [failed(0.5), failed(0.8), ...every(6 * HOUR, 28)], 'FAIL'],
    ['two with one between', [failed(0.5), failed(3), ...every(6 * HOUR, 28)], 'WARN'],
  ])('%s is %s', (_, snapshots, status) => {
    expect(verdict('BK-10', cluster({ snapshots: known(snapshots) })).status).toBe(status);
  });

  it('fails where the next snapshot is overdue', () => {
    expect(verdict('BK-10', cluster({ schedule: known(schedule({ nextSnapshot: ago(31 * 60_000) })) })).status).toBe(
      'FAIL',
    );
    expect(verdict('BK-10', cluster({ schedule: known(schedule({ nextSnapshot: ago(29 * 60_000) })) })).status).toBe(
      'PASS',
    );
  });
});

describe('copies', () => {
  const withCopies = (...copies: ReturnType<typeof copy>[]) =>
    cluster({ schedule: known(schedule({ copies, copyItemsEnabled: true })) });

  it('A10: a sharded cluster does not say where its snapshots were copied to', () => {
    const facts = cluster({
      sharded: true,
      shards: 2,
      snapshots: known(every(6 * HOUR, 28, { copyRegions: null, members: ['a', 'b'] })),
    });
    expect(verdict('BK-14', facts)).toMatchObject({
      status: 'UNKNOWN',
      evidence: { copySettings: [{ regionName: 'EU_WEST_1' }] },
    });
    const events = known([{ type: 'CPS_COPY_SNAPSHOT_FAILED', at: ago(2 * HOUR), cluster: 'prod' }]);
    expect(verdict('BK-14', { ...facts, project: project({ events }) }).status).toBe('FAIL');
  });

  it('A25: there are three forms, and frequencies is the one that may be left out', () => {
    const items = [{ id: null, type: 'daily', unit: 'days', value: 7 }];
    expect(verdict('BK-13', withCopies(copy({ frequencies: null, items }))).status).toBe('PASS');
    expect(verdict('BK-13', withCopies(copy({ frequencies: null, last: 5 }))).status).toBe('PASS');
    expect(verdict('BK-13', withCopies(copy({ frequencies: null })))).toMatchObject({ status: 'UNKNOWN' });
    expect(verdict('BK-13', withCopies(copy({ frequencies: ['monthly'] }))).status).toBe('FAIL');
    expect(verdict('BK-13', withCopies()).status).toBe('FAIL');
    expect(verdict('BK-13', withCopies(copy({ oplogs: false }))).status).toBe('FAIL');
  });

  it('A26: every zone of a global cluster needs a copy of its own', () => {
    const zones = [
      { id: 'zone-1', name: 'Americas', regions: [{ provider: 'AWS', region: 'US_EAST_1', electable: true }] },
      { id: 'zone-2', name: 'Europe', regions: [{ provider: 'AWS', region: 'EU_CENTRAL_1', electable: true }] },
    ];
    const one = { ...withCopies(copy()), zones };
    expect(verdict('BK-13', one)).toMatchObject({ status: 'FAIL', evidence: { zonesWithout: ['Europe'] } });
    expect(verdict('BK-13', { ...withCopies(copy(), copy({ zoneId: 'zone-2' })), zones }).status).toBe('PASS');
  });

  it('A27: a copy beside another electable node is no copy elsewhere', () => {
    const regions = [
      { provider: 'AWS', region: 'US_EAST_1', electable: true },
      { provider: 'AWS', region: 'EU_WEST_1', electable: true },
    ];
    const beside = { ...withCopies(copy()), zones: [{ id: 'zone-1', name: 'Zone 1', regions }] };
    expect(verdict('BK-13', beside).status).toBe('FAIL');
    const readOnly = regions.map((each) => ({ ...each, electable: each.region === 'US_EAST_1' }));
    expect(verdict('BK-13', { ...beside, zones: [{ id: 'zone-1', name: 'Zone 1', regions: readOnly }] }).status).toBe(
      'PASS',
    );
  });

  it('has a day to arrive', () => {
    const late = cluster({ snapshots: known(every(6 * HOUR, 28, { copyRegions: [] })) });
    expect(verdict('BK-14', late).status).toBe('FAIL');
    const young = cluster({ snapshots: known(every(6 * HOUR, 3, { copyRegions: [] })) });
    expect(verdict('BK-14', young).status).toBe('NOT_APPLICABLE');
  });

  it('A40: reads the version of the schedule that names zones', () => {
    const read = scheduleFact({
      policies: [
        {
          id: 'f'.repeat(24),
          policyItems: [{ frequencyType: 'daily', frequencyInterval: 1, retentionUnit: 'days', retentionValue: 7 }],
        },
      ],
      copySettings: [
        {
          cloudProvider: 'AWS',
          regionName: 'EU_WEST_1',
          zoneId: 'e'.repeat(24),
          frequencies: ['DAILY', 'ON_DEMAND'],
          shouldCopyOplogs: true,
        },
      ],
    });
    expect(read.copies).toMatchObject([{ zoneId: 'e'.repeat(24), frequencies: ['daily', 'on_demand'] }]);
  });
});

describe('the compliance policy', () => {
  const guarded = (change: Parameters<typeof compliance>[0], more = {}) =>
    cluster({ project: project({ compliance: known(compliance(change)), ...more }) });

  it('A28: one that is being disabled is critical, even though all is well today', () => {
    for (const change of [{ state: 'DISABLING' }, { deletable: true }]) {
      expect(verdict('BK-16', guarded(change))).toMatchObject({ status: 'FAIL', severity: 'critical' });
    }
    const events = known([{ type: 'CPS_DATA_PROTECTION_APPROVED_FOR_DISABLEMENT', at: ago(DAY), cluster: null }]);
    expect(verdict('BK-16', guarded({}, { events }))).toMatchObject({ status: 'FAIL', severity: 'critical' });
    expect(verdict('BK-05', guarded({ state: 'DISABLING' })).status).toBe('PASS');
  });

  it.each([
    [{ state: 'ENABLING', updatedAt: ago(2 * HOUR) }, 'WARN'],
    [{ state: 'ENABLING', updatedAt: ago(25 * HOUR) }, 'FAIL'],
    [{ copyProtection: false }, 'FAIL'],
    [{ items: [item('daily', 1, 3)] }, 'FAIL'],
    [{ pit: false }, 'FAIL'],
    [{ deletable: null }, 'UNKNOWN'],
  ])('with %o is %s', (change, status) => {
    expect(verdict('BK-16', guarded(change)).status).toBe(status);
  });

  it('is missed where there is none, and where its contact is a stranger', () => {
    expect(verdict('BK-16', cluster({ project: project({ compliance: known(null) }) })).status).toBe('FAIL');
    const ours = { organization: { rules: { 'BK-16': { contactDomains: ['acme.example'] } } } };
    expect(verdict('BK-16', guarded({}), ours).status).toBe('FAIL');
    expect(verdict('BK-16', guarded({ email: 'a@Acme.example' }), ours).status).toBe('PASS');
  });
});

describe('restores', () => {
  it('A37: a restore into production is no test, whoever calls it one', () => {
    const into = (change: Parameters<typeof restore>[0]) => cluster({ restores: known([restore(change)]) });
    expect(verdict('BK-18', into({})).status).toBe('PASS');
    expect(verdict('BK-18', into({ targetProjectId: 'shop' }))).toMatchObject({
      status: 'FAIL',
      evidence: { tests: 0, restoresElsewhere: [{ targetProjectId: 'shop' }] },
    });
    expect(verdict('BK-18', into({ targetProjectId: 'project', targetCluster: 'prod' })).status).toBe('FAIL');
    for (const change of [
      { failed: true },
      { cancelled: true },
      { expired: true },
      { finishedAt: null },
      { delivery: 'download' },
      { finishedAt: ago(91 * DAY) },
    ]) {
      expect(verdict('BK-18', into(change)).status).toBe('FAIL');
    }
    const both = cluster({ restores: known([restore(), restore({ targetProjectId: 'shop' })]) });
    expect(verdict('BK-18', both).status).toBe('WARN');
    expect(verdict('BK-18', cluster(), {}).status).toBe('FAIL');
    const own = { organization: { rules: { 'BK-18': { targets: ['project'] } } } };
    expect(verdict('BK-18', into({ targetProjectId: 'project', targetCluster: 'prod' }), own).status).toBe('FAIL');
  });

  it('A38: how long a restore took is known only where its start was recorded', () => {
    const job = restore({ finishedAt: ago(DAY) });
    const measured = (minutes: number) =>
      cluster({
        restores: known([job]),
        memory: { ...noMemory, restoreStarts: { [job.id]: ago(DAY) - minutes * 60_000 } },
      });
    expect(verdict('BK-19', cluster({ restores: known([job]) })).status).toBe('UNKNOWN');
    expect(verdict('BK-19', measured(29)).status).toBe('PASS');
    expect(verdict('BK-19', measured(31))).toMatchObject({ status: 'FAIL', evidence: { minutes: 31 } });
  });
});

describe('other kinds of clusters', () => {
  const flex = (change: object = {}) =>
    cluster({ kind: 'flex', pitEnabled: null, tags: [], snapshots: known([snapshot(ago(25 * HOUR))]), ...change });

  it('judges Flex by its own rule', () => {
    expect(verdict('BK-21', flex()).status).toBe('PASS');
    expect(verdict('BK-21', flex({ snapshots: known([snapshot(ago(27 * HOUR))]) })).status).toBe('FAIL');
    expect(verdict('BK-21', flex({ snapshots: known([]), createdAt: ago(20 * HOUR) })).status).toBe('NOT_APPLICABLE');
    expect(verdict('BK-21', flex({ backupEnabled: false })).status).toBe('FAIL');
    expect(verdict('BK-21', flex({ tags: [{ key: 'tier', value: '1' }] })).status).toBe('FAIL');
    expect(verdict('BK-05', flex()).status).toBe('NOT_APPLICABLE');
  });

  it('forbids free clusters where it matters', () => {
    const free = cluster({ kind: 'free', backupEnabled: false, tags: [], instanceSize: 'M0' });
    expect(verdict('BK-22', free).status).toBe('FAIL');
    expect(verdict('BK-22', { ...free, tags: [{ key: 'Env', value: 'Dev' }] }).status).toBe('NOT_APPLICABLE');
  });

  it('asks nothing of a development cluster, and everything of one that says nothing', () => {
    const off = cluster({ backupEnabled: false, tags: [] });
    expect(verdict('BK-01', off)).toMatchObject({ status: 'FAIL', severity: 'critical' });
    expect(verdict('BK-01', { ...off, tags: [{ key: 'environment', value: 'test' }] }).status).toBe('NOT_APPLICABLE');
    expect(verdict('BK-08', off)).toMatchObject({ status: 'NOT_APPLICABLE', evidence: { backupEnabled: false } });
  });

  it('lists what is left of a deleted cluster', () => {
    const left = cluster({ kind: 'deleted', tags: [] });
    expect(verdict('BK-24', left)).toMatchObject({ status: 'WARN', evidence: { snapshots: 28, withoutExpiry: 0 } });
    expect(verdict('BK-24', { ...left, tags: [{ key: 'Owner', value: 'data' }] }).status).toBe('PASS');
    expect(() => verdict('BK-08', left)).toThrow('no verdict');
  });
});

describe('exceptions', () => {
  const weekly = cluster({ schedule: known(schedule({ items: [item('weekly', 6, 4, 'weeks')] })) });
  const exception = (expires: string) => ({
    exceptions: [
      {
        name: 'legacy',
        owner: 'data',
        reason: 'is being replaced',
        expires,
        rules: ['BK-04'],
        match: { cluster: 'prod' },
      },
    ],
  });

  it('A20: one that ends at midnight in California ends at eight in the morning in UTC', () => {
    const policy = exception('2026-03-01T00:00:00-08:00');
    const at = (instant: string) => verdict('BK-04', weekly, policy, Date.parse(instant));
    expect(at('2026-03-01T00:30:00Z')).toMatchObject({
      status: 'WARN',
      exemption: { expired: false, until: '2026-03-01T08:00:00.000Z' },
    });
    expect(at('2026-03-01T07:59:59Z').status).toBe('WARN');
    expect(at('2026-03-01T08:00:00Z')).toMatchObject({
      status: 'FAIL',
      evidence: { exemptionExpired: true },
      exemption: { name: 'legacy', expired: true },
    });
  });

  it('exempts until two weeks before it ends', () => {
    expect(verdict('BK-04', weekly, exception('2026-03-20T12:00:00Z')).status).toBe('EXEMPT');
    expect(verdict('BK-04', weekly, exception('2026-03-15T11:00:00Z')).status).toBe('WARN');
    expect(
      verdict('BK-05', cluster({ schedule: known(schedule({ items: [] })) }), exception('2026-03-20T12:00:00Z')).status,
    ).toBe('FAIL');
    expect(verdict('BK-04', { ...weekly, name: 'latest-prod' }, exception('2026-03-20T12:00:00Z')).status).toBe('FAIL');
  });

  it('A19: a layer that asks for less is refused at load, unless a named exception allows it', () => {
    const lower = {
      organization: { rules: { 'BK-05': { minDays: 14 } } },
      projects: [{ match: { name: 'shop' }, rules: { 'BK-05': { minDays: 8 } } }],
    };
    expect(() => loadPolicy(lower, NOW)).toThrow(PolicyInvalid);
    const allowed = {
      ...lower,
      projects: [{ ...lower.projects[0], exception: 'shop' }],
      exceptions: [
        { name: 'shop', owner: 'data', reason: 'migrates', expires: '2026-04-20T00:00:00Z', rules: ['BK-05'] },
      ],
    };
    const shop = cluster({
      project: project({ name: 'shop' }),
      schedule: known(schedule({ items: [item('daily', 1, 10)] })),
    });
    expect(verdict('BK-05', shop, allowed).status).toBe('PASS');
    const ended = verdict('BK-05', shop, allowed, Date.parse('2026-04-20T00:00:01Z'));
    expect(ended).toMatchObject({ status: 'FAIL', evidence: { exemptionExpired: true } });
  });
});

it('knows every item of the default schedule', () => {
  expect(verdict('BK-06', cluster({ schedule: known(schedule({ items: defaultItems })) })).status).toBe('PASS');
});
