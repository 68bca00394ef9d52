import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { approve, reject, standsAgainstCutover, voided } from '../../../functions/start-live-migration/approval.ts';
import { brokenAt, changed } from '../../../functions/start-live-migration/change.ts';
import { afterPoll, bothTimes, deadlineOf, type Seen } from '../../../functions/start-live-migration/course.ts';
import { afterEvents, afterStartLookUp } from '../../../functions/start-live-migration/feed.ts';
import type { ImportEvent } from '../../../functions/start-live-migration/look.ts';
import { ENDS, type Run } from '../../../functions/start-live-migration/run.ts';
import { secondsToCatchUp } from '../../../functions/start-live-migration/summary.ts';
import { began, digest, later, policy, running } from '../../support/migration-run.ts';
import { assertProperty } from '../../support/properties.ts';

const HOUR = 3600;
const working = (lagSeconds: number | null, ready = true): Seen => ({ status: 'WORKING', ready, lagSeconds });
const polled = (run: Run, looks: readonly [seconds: number, seen: Seen][]): Run =>
  looks.reduce((so, [seconds, seen]) => afterPoll(so, seen, later(seconds), policy, `approval-${seconds}`), run);
const steady = (from: number, lag = 3): [number, Seen][] =>
  Array.from({ length: policy.lagGatePolls }, (_, nth) => [from + nth * 60, working(lag)]);
const called = (run: Run): string[] =>
  run.toTell.flatMap(({ detail }) => (typeof detail['what'] === 'string' ? [detail['what']] : []));

describe('asking for an approval', () => {
  it('M7 waits for a small lag at several looks in a row, never for a lag of zero', () => {
    const almost = polled(running(), steady(0).slice(1));
    expect(almost.state).toBe('SYNCING');
    const ready = polled(almost, [[600, working(30)]]);
    expect(ready.state).toBe('READY');
    expect(called(ready)).toEqual(['approve-cutover']);
  });

  it.each([
    ['a lag that is too large', working(31)],
    ['no lag at all', working(null)],
    ['a readiness that is gone', working(3, false)],
    ['an id Atlas does not know just now', 'unknown id' as const],
  ])('begins to count anew after %s', (_, interruption) => {
    const run = polled(running(), [...steady(0).slice(1), [500, interruption], ...steady(560).slice(1)]);
    expect(run.state).toBe('SYNCING');
  });

  it('is void once the readiness it was asked on is gone, and asks again under another id', () => {
    const first = polled(running(), steady(0));
    const second = polled(first, [[400, working(3, false)], ...steady(500)]);
    expect(second.asked?.approvalId).not.toBe(first.asked?.approvalId);
    const refused = approve(
      second,
      { approvalId: first.asked?.approvalId ?? '', planDigest: digest, approvedBy: 'grace' },
      later(760),
      policy,
    );
    expect(refused.refused).toContain('was void already');
  });

  it('does not ask when there is no time left for a cutover', () => {
    const end = policy.cutoverWindowHours * HOUR;
    const run = polled(
      running({ lastNotReadyAt: began.toISOString(), firstReadyAt: later(60).toISOString() }),
      steady(end - 900),
    );
    expect(run.state).toBe('SYNCING');
  });
});

describe('the deadline', () => {
  it('M9 lies between the last look that found it not ready and the first that did', () => {
    const run = polled(running(), [
      [0, working(900, false)],
      [3000, working(3)],
    ]);
    const end = deadlineOf(run, later(3000), policy);
    expect(end?.earliest).toEqual(later(policy.cutoverWindowHours * HOUR));
    expect(end?.latest).toEqual(later(policy.cutoverWindowHours * HOUR + 3000));
  });

  it('does not start anew with a readiness that comes back', () => {
    const run = polled(running(), [
      [0, working(9, false)],
      [60, working(3)],
      [120, working(9, false)],
      [180, working(3)],
    ]);
    expect(deadlineOf(run, later(180), policy)?.earliest).toEqual(later(policy.cutoverWindowHours * HOUR));
  });

  it('counts a recorded extension only once the migration has outlived what it had', () => {
    const until = later(policy.cutoverWindowHours * HOUR + 48 * HOUR);
    const run = running({
      lastNotReadyAt: began.toISOString(),
      firstReadyAt: later(60).toISOString(),
      extension: { until: until.toISOString(), recordedBy: 'ada', note: 'clicked' },
    });
    expect(deadlineOf(run, later(HOUR), policy)?.earliest).toEqual(later(policy.cutoverWindowHours * HOUR));
    expect(deadlineOf(run, later(policy.cutoverWindowHours * HOUR + 61), policy)?.earliest).toEqual(until);
  });

  it('is warned of once at each of 72, 24, 6 and 1 hours', () => {
    const window = policy.cutoverWindowHours;
    let run = running({ lastNotReadyAt: began.toISOString(), firstReadyAt: began.toISOString() });
    const warnings: number[] = [];
    for (let hour = 0; hour < window; hour += 0.25) {
      const next = afterPoll({ ...run, toTell: [] }, working(900), later(hour * HOUR), policy, 'x');
      if (called(next).includes('deadline')) warnings.push(window - hour);
      run = next;
    }
    expect(warnings).toEqual([72, 24, 6, 1]);
  });

  it('M30 is told in UTC and in the zone people live in, on both sides of a change of clocks', () => {
    const zone = { timeZone: 'Europe/Berlin' };
    expect(bothTimes(new Date('2026-10-25T00:30:00Z'), zone)).toContain('02:30 Europe/Berlin');
    expect(bothTimes(new Date('2026-10-25T01:30:00Z'), zone)).toContain('02:30 Europe/Berlin');
    expect(bothTimes(new Date('2026-03-29T01:30:00Z'), zone)).toContain('03:30 Europe/Berlin');
  });
});

describe('the source’s oplog', () => {
  it('M16 is warned of at half of it and cried out at four fifths, once each', () => {
    const run = polled(running({ oplogWindowSeconds: 1000 }), [
      [0, working(400, false)],
      [60, working(501, false)],
      [120, working(600, false)],
      [180, working(801, false)],
      [240, working(900, false)],
    ]);
    const severities = run.toTell.flatMap(({ detail }) => (detail['what'] === 'lag' ? [detail['severity']] : []));
    expect(severities).toEqual(['warning', 'critical']);
  });
});

describe('an approval', () => {
  const ready = polled(running(), steady(0));
  const good = { approvalId: ready.asked?.approvalId ?? '', planDigest: digest, approvedBy: 'grace' };

  it('is taken once', () => {
    const { run } = approve(ready, good, later(300), policy);
    expect(run.state).toBe('APPROVED');
    expect(approve(run, good, later(301), policy).refused).toContain('no approval is asked for');
  });

  it.each([
    ['from whoever asked for the migration', { approvedBy: '  ADA ' }, 300, 'cannot approve'],
    ['for another plan', { planDigest: 'f'.repeat(64) }, 300, 'another plan'],
    ['that was not asked for', { approvalId: 'guess' }, 300, 'not asked for'],
    ['that comes late', {}, 300 + policy.approvalMinutes * 60, 'came late'],
  ])('%s is refused, and recorded', (_, over, seconds, reason) => {
    const { run, refused } = approve(ready, { ...good, ...over }, later(seconds), policy);
    expect(refused).toContain(reason);
    expect(run.state).toBe('READY');
    expect(run.approval).toBeUndefined();
    expect(run.record.unwritten.at(-1)).toMatchObject({ what: 'refused an approval' });
  });

  it.each<[string, Seen, number]>([
    ['its lag has grown', working(31), 300],
    ['no lag is told', working(null), 300],
    ['it is no longer ready', working(3, false), 300],
    ['it has failed', { status: 'FAILED', ready: false, lagSeconds: null }, 300],
    ['its status is empty', { status: null, ready: true, lagSeconds: 1 }, 300],
    ['Atlas does not know it', 'unknown id', 300],
    ['the approval has become old', working(3), 300 + policy.approvalMinutes * 60 + 1],
  ])('begins no cutover when %s', (_, seen, seconds) => {
    const { run } = approve(ready, good, later(300), policy);
    expect(standsAgainstCutover(run, seen, later(seconds), policy)).toBeTypeOf('string');
  });

  it('begins none shortly before Atlas may give the migration up', () => {
    const end = policy.cutoverWindowHours * HOUR;
    const late = polled(
      running({ lastNotReadyAt: began.toISOString(), firstReadyAt: began.toISOString() }),
      steady(end - 3 * HOUR),
    );
    const { run } = approve(late, { ...good, approvalId: late.asked?.approvalId ?? '' }, later(end - 2 * HOUR), policy);
    expect(run.state).toBe('APPROVED');
    expect(standsAgainstCutover(run, working(3), later(end - 29 * 60), policy)).toContain('Atlas may give');
  });
});

describe('a cutover whose answer is lost', () => {
  const at = began.toISOString();
  const unknown = running({
    state: 'CUTOVER_UNKNOWN',
    approval: { approvalId: 'a', by: 'grace', at, lagSeconds: 3 },
    cutover: { intendedAt: at, until: later(180).toISOString(), by: 'us' },
  });

  it('M14 is under way once no lag is told, and not while one is: a lag that is absent is none of zero', () => {
    expect(polled(unknown, [[60, working(3)]]).state).toBe('CUTOVER_UNKNOWN');
    expect(polled(unknown, [[60, working(null, false)]]).state).toBe('CUTTING_OVER');
    expect(polled(unknown, [[60, working(0)]]).state).toBe('CUTOVER_UNKNOWN');
  });

  it('can be rejected only once whoever sent it is gone', () => {
    const word = { rejectedBy: 'grace', reason: 'none is seen' };
    expect(reject(unknown, word, later(179)).refused).toContain('still be on its way');
    expect(reject(unknown, word, later(180)).run.state).toBe('SYNCING');
  });
});

it('M27 tells the end of an expired migration from a good one, and where its data stops', () => {
  const run = polled(running(), [
    [60, working(9)],
    [120, { status: 'EXPIRED', ready: false, lagSeconds: null }],
  ]);
  expect(run.state).toBe('EXPIRED');
  expect(run.reason).toContain(later(60).toISOString());
  expect(called(run)).toContain('ended');
});

it('estimates when the lag is gone from how it shrank', () => {
  expect(
    secondsToCatchUp(
      polled(running(), [
        [0, working(1000, false)],
        [600, working(400, false)],
      ]),
    ),
  ).toBe(400);
  expect(
    secondsToCatchUp(
      polled(running(), [
        [0, working(100, false)],
        [600, working(400, false)],
      ]),
    ),
  ).toBeNull();
});

describe('a start whose answer is lost', () => {
  const intended = running({ state: 'START_INTENT', liveMigrationId: undefined });

  it('is left alone while its sender may be alive', () => {
    expect(afterStartLookUp(intended, [], later(179), policy).state).toBe('START_INTENT');
  });

  it('was carried out where an event says so, and not where none does for a while', () => {
    const unknown = afterStartLookUp(intended, [], later(181), policy);
    expect(unknown.state).toBe('START_UNKNOWN');
    const started = afterStartLookUp(unknown, [{ type: 'CLUSTER_IMPORT_STARTED', at: later(1) }], later(200), policy);
    expect(started.state).toBe('STARTED_UNIDENTIFIED');
    expect(afterStartLookUp(unknown, [], later(180 + policy.startPatienceMinutes * 60 - 1), policy).state).toBe(
      'START_UNKNOWN',
    );
    expect(afterStartLookUp(unknown, [], later(180 + policy.startPatienceMinutes * 60), policy).state).toBe('FAILED');
  });
});

const TYPES: ImportEvent[] = [
  'CLUSTER_IMPORT_STARTED',
  'CLUSTER_IMPORT_CANCELLED',
  'CLUSTER_IMPORT_EXPIRED',
  'CLUSTER_IMPORT_CUTOVER',
  'CLUSTER_IMPORT_COMPLETED',
  'CLUSTER_IMPORT_FAILED',
  'CLUSTER_IMPORT_RESTART_REQUESTED',
];

/** What may happen to a migration, in any order: answers of Atlas, words of people, and time going either way. */
const happening = fc.oneof(
  fc.record({
    kind: fc.constant('poll' as const),
    status: fc.constantFrom('WORKING', 'WORKING', 'WORKING', 'NEW', null, 'COMPLETE', 'FAILED', 'EXPIRED', 'PAUSED'),
    ready: fc.boolean(),
    lag: fc.constantFrom(null, 0, 5, 30, 31, 4000),
  }),
  fc.record({ kind: fc.constant('unknown id' as const) }),
  fc.record({ kind: fc.constant('events' as const), types: fc.array(fc.constantFrom(...TYPES), { maxLength: 3 }) }),
  fc.record({
    kind: fc.constant('approve' as const),
    by: fc.constantFrom('ada', 'ADA ', 'grace'),
    stale: fc.boolean(),
    otherPlan: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('reject' as const) }),
  fc.record({ kind: fc.constant('send cutover' as const), answered: fc.boolean() }),
  fc.record({ kind: fc.constant('time' as const), seconds: fc.constantFrom(-120, 5, 60, 300, 7200, 90_000, 500_000) }),
);

it('reaches its end over no other way than the recorded gates, whatever happens in whatever order', () => {
  assertProperty(
    fc.property(fc.array(happening, { maxLength: 60 }), (happenings) => {
      let run = running();
      let seconds = 0;
      let nth = 0;
      let cutovers = 0;
      const approvals = new Set<string>();
      for (const each of happenings) {
        const now = later(seconds);
        const before = run;
        if (each.kind === 'time') seconds += each.seconds;
        if (ENDS.has(run.state) || run.state === 'CUT_OVER') continue;
        const isFollowed = run.state !== 'APPROVED' && run.state !== 'CUTOVER_INTENT';
        if (each.kind === 'poll' && isFollowed)
          run = afterPoll(
            run,
            { status: each.status, ready: each.ready, lagSeconds: each.lag },
            now,
            policy,
            `a${nth++}`,
          );
        if (each.kind === 'unknown id' && isFollowed) run = afterPoll(run, 'unknown id', now, policy, `a${nth++}`);
        if (each.kind === 'events' && isFollowed)
          run = afterEvents(
            run,
            each.types.map((type) => ({ type, at: now })),
            now,
            policy,
          );
        if (each.kind === 'reject') run = reject(run, { rejectedBy: 'grace', reason: 'no' }, now).run;
        if (each.kind === 'approve') {
          const approvalId = each.stale ? 'stale' : (run.asked?.approvalId ?? 'none');
          const planDigest = each.otherPlan ? 'f'.repeat(64) : digest;
          run = approve(run, { approvalId, planDigest, approvedBy: each.by }, now, policy).run;
          if (run.state === 'APPROVED' && before.state !== 'APPROVED') {
            expect([before.state, each.by, each.stale, each.otherPlan]).toEqual(['READY', 'grace', false, false]);
            expect(approvals.has(approvalId)).toBe(false);
            approvals.add(approvalId);
          }
        }
        if (each.kind === 'send cutover' && run.state === 'APPROVED') {
          const against = standsAgainstCutover(run, working(5), now, policy);
          run =
            against === undefined
              ? changed(run, now, {
                  to: each.answered ? 'CUTTING_OVER' : 'CUTOVER_UNKNOWN',
                  what: 'sent',
                  reason: 'sent',
                  set: { cutover: { intendedAt: now.toISOString(), until: now.toISOString(), by: 'us' } },
                })
              : voided(run, now, against);
          if (against === undefined) cutovers++;
        }
        expect(run.record.seq).toBeGreaterThanOrEqual(before.record.seq);
      }
      expect(cutovers).toBeLessThanOrEqual(approvals.size);
      if (run.state === 'CUT_OVER') {
        expect(run.cutover).toBeDefined();
        if (run.cutover?.by === 'us') expect(approvals.has(run.approval?.approvalId ?? '')).toBe(true);
      }
      expect(brokenAt(run.record.unwritten, run.record)).toBeUndefined();
    }),
    { numRuns: 3000 },
  );
});

describe('the record', () => {
  const run = polled(running(), [...steady(0), [400, working(3, false)], ...steady(500)]);

  it('is whole as it was written', () => {
    expect(run.record.unwritten.length).toBeGreaterThan(2);
    expect(brokenAt(run.record.unwritten, run.record)).toBeUndefined();
  });

  it('shows a line that was changed, taken out, put in, or cut off at the end', () => {
    const lines = run.record.unwritten;
    const altered = lines.map((line, at) => (at === 1 ? { ...line, by: 'mallory' } : line));
    expect(brokenAt(altered, run.record)).toBe(1);
    expect(brokenAt(lines.toSpliced(1, 1), run.record)).toBe(1);
    expect(brokenAt([...lines, ...lines.slice(-1)], run.record)).toBe(lines.length);
    expect(brokenAt(lines.slice(0, -1), run.record)).toBe(lines.length - 1);
  });
});
