import { describe, expect, it } from 'vitest';
import type { Finding } from '../../../../functions/audit-snapshot-schedules/report.ts';
import { assemble, realisticReport } from '../../../support/audit-report.ts';
import { linesOf, renderedAs } from '../../../support/rendered.ts';

const [example] = realisticReport({ clusters: 1 }).findings.filter(({ clusterId }) => clusterId !== null);
const finding = (change: Partial<Finding>): Finding => ({
  ...example!,
  change: 'unchanged',
  previousStatus: null,
  ...change,
});

describe('a SARIF result', () => {
  const resultOf = async (change: Partial<Finding>): Promise<Record<string, unknown> | undefined> => {
    const { runs } = JSON.parse(await renderedAs('sarif', assemble([], [finding(change)])));
    return runs[0].results[0];
  };

  it.each([
    ['FAIL', 'critical', { kind: 'fail', level: 'error' }],
    ['FAIL', 'medium', { kind: 'fail', level: 'warning' }],
    ['FAIL', 'info', { kind: 'fail', level: 'note' }],
    ['WARN', 'critical', { kind: 'fail', level: 'note' }],
    ['UNKNOWN', 'critical', { kind: 'open', level: 'none' }],
    ['EXEMPT', 'high', { kind: 'fail', level: 'error', suppressions: [{ kind: 'external', status: 'accepted' }] }],
  ] as const)('of %s, %s', async (status, severity, expected) => {
    expect(await resultOf({ status, severity })).toMatchObject(expected);
  });

  it.each(['PASS', 'NOT_APPLICABLE'] as const)('is not there for %s', async (status) => {
    expect(await resultOf({ status })).toBeUndefined();
  });

  it.each([
    ['new', 'new'],
    ['changed', 'updated'],
    ['unchanged', 'unchanged'],
    ['resolved', 'absent'],
    ['gone', 'absent'],
  ] as const)('that is %s is %s against the baseline', async (change, baselineState) => {
    const status = change === 'resolved' ? 'PASS' : 'FAIL';
    expect(await resultOf({ status, change })).toMatchObject({ baselineState });
  });

  it('that an exception holds now is still there, suppressed', async () => {
    expect(await resultOf({ status: 'EXEMPT', change: 'resolved' })).toMatchObject({ baselineState: 'updated' });
  });

  it('goes by ids, so that clusters of one name stay apart', async () => {
    expect(await resultOf({ status: 'FAIL', id: 'o/p/c/r' })).toMatchObject({
      partialFingerprints: { 'findingId/v1': 'o/p/c/r' },
    });
  });

  it('comes with what could not be read, and a run that was partial did not succeed', async () => {
    const report = realisticReport({ clusters: 2, unreadableProjects: 2 });
    const { runs } = JSON.parse(await renderedAs('sarif', report));
    expect(runs[0].invocations[0]).toMatchObject({ executionSuccessful: false });
    expect(runs[0].invocations[0].toolExecutionNotifications).toHaveLength(2);
  });
});

describe('an OCSF compliance finding', () => {
  const eventOf = async (change: Partial<Finding>): Promise<Record<string, unknown>> =>
    linesOf<Record<string, unknown>>(await renderedAs('ocsf', assemble([], [finding(change)])))[0]!;

  it.each([
    ['FAIL', 'new', { activity_id: 1, type_uid: 200301, status_id: 1, compliance: { status_id: 3 } }],
    ['FAIL', 'unchanged', { activity_id: 2, type_uid: 200302, status_id: 2, compliance: { status_id: 3 } }],
    ['WARN', 'unchanged', { compliance: { status_id: 2 } }],
    ['UNKNOWN', 'unchanged', { status_id: 2, compliance: { status_id: 0 } }],
    ['EXEMPT', 'resolved', { activity_id: 2, status_id: 3, compliance: { status_id: 99, status: 'Exempt' } }],
    ['PASS', 'resolved', { activity_id: 3, type_uid: 200303, status_id: 4, compliance: { status_id: 1 } }],
    ['FAIL', 'gone', { activity_id: 3, status_id: 5 }],
  ] as const)('of %s that is %s', async (status, change, expected) => {
    expect(await eventOf({ status, change })).toMatchObject({ class_uid: 2003, category_uid: 2, ...expected });
  });

  it('is there for what is open, exempt, new or changed, and not for what goes on passing', async () => {
    const { clusters, findings } = realisticReport({ clusters: 10, troubled: 0.5 });
    const events = linesOf(await renderedAs('ocsf', assemble(clusters, findings)));
    expect(events).toHaveLength(
      findings.filter(({ status, change }) => change !== 'unchanged' || !['PASS', 'NOT_APPLICABLE'].includes(status))
        .length,
    );
    const first = findings.map((one) => ({ ...one, change: 'new' as const, previousStatus: null }));
    expect(linesOf(await renderedAs('ocsf', assemble(clusters, first)))).toHaveLength(findings.length);
  });

  it('keeps its identity and when it was first seen', async () => {
    expect(await eventOf({ id: 'o/p/c/r', status: 'FAIL', firstSeen: '2026-01-01T00:00:00Z' })).toMatchObject({
      finding_info: { uid: 'o/p/c/r', first_seen_time: Date.UTC(2026, 0, 1) },
    });
  });
});
