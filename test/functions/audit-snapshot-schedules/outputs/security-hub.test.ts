import { type AwsSecurityFinding, SecurityHubClient } from '@aws-sdk/client-securityhub';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { asffFindings } from '../../../../functions/audit-snapshot-schedules/outputs/asff.ts';
import { importFindings } from '../../../../functions/audit-snapshot-schedules/outputs/import-findings.ts';
import { type Finding, isOpen, type Report, sourceOf } from '../../../../functions/audit-snapshot-schedules/report.ts';
import { createSecurityHubService, type SecurityHubService } from '../../../../infra/local/aws/security-hub.ts';
import type { Loopback } from '../../../../infra/local/loopback.ts';
import { createSecurityHub, type ImportOutcome } from '../../../../lib/aws/security-hub.ts';
import type { Deadline } from '../../../../lib/runtime/deadline.ts';
import { anyReport, hostileNames } from '../../../support/any-audit-report.ts';
import { assemble, realisticReport } from '../../../support/audit-report.ts';
import { manualClock } from '../../../support/manual-clock.ts';
import { assertProperty } from '../../../support/properties.ts';
import { allOf, linesOf, renderedAs, target } from '../../../support/rendered.ts';

const [example] = realisticReport({ clusters: 1 }).findings.filter(({ clusterId }) => clusterId !== null);
const finding = (at: number, change: Partial<Finding> = {}): Finding => ({
  ...example!,
  id: `o/p/${at}/BK-08`,
  status: 'FAIL',
  change: 'unchanged',
  previousStatus: 'FAIL',
  ...change,
});
const report = (...findings: Finding[]): Report => assemble([], findings);
const idOf = (at: number): string => `atlas-automation/o/p/${at}/BK-08`;

let clock: ReturnType<typeof manualClock>;
let hub: SecurityHubService;
let server: Loopback;

const calls = (): number => hub.faults.journal.length;
const deadline = (ms = 900_000): Deadline => {
  const end = clock.now().getTime() + ms;
  return { signal: new AbortController().signal, remainingMs: () => end - clock.now().getTime() };
};
const importAll = (of: Report, ms?: number): Promise<ImportOutcome> => {
  const client = new SecurityHubClient({
    endpoint: server.origin,
    region: 'us-east-1',
    maxAttempts: 1,
    credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
  });
  return importFindings(sourceOf(of), target, {
    securityHub: createSecurityHub(clock, client),
    deadline: deadline(ms),
  });
};
const stored = (): AwsSecurityFinding[] => [...hub.findings.values()] as AwsSecurityFinding[];

beforeEach(async () => {
  clock = manualClock();
  hub = createSecurityHubService({ clock });
  server = await hub.listen();
});
afterEach(() => server[Symbol.asyncDispose]());

describe('A34 an import that partially fails', () => {
  const hundred = report(...Array.from({ length: 100 }, (_, at) => finding(at)));

  it('sends what failed again, alone, until it is taken', async () => {
    hub.failFindings([
      { id: idOf(3), errorCode: 'InternalError', times: 1 },
      { id: idOf(7), errorCode: 'Throttling', times: 2 },
    ]);
    expect(await importAll(hundred)).toEqual({ imported: 100, failed: [], notSent: 0 });
    expect(calls()).toBe(3);
    expect(hub.findings.size).toBe(100);
    expect(clock.waits).toEqual([500, 1_000]);
  });

  it('gives up on one that never gets through, and says which', async () => {
    hub.failFindings([{ id: idOf(3), errorCode: 'InternalError', times: 99 }]);
    const outcome = await importAll(hundred);
    expect(outcome).toMatchObject({ imported: 99, failed: [{ id: idOf(3), code: 'InternalError' }], notSent: 0 });
    expect(calls()).toBe(4);
  });

  it('does not send again what is wrong as it is', async () => {
    hub.failFindings([{ id: idOf(3), errorCode: 'InvalidInput', times: 1 }]);
    expect(await importAll(hundred)).toMatchObject({ imported: 99, failed: [{ id: idOf(3), code: 'InvalidInput' }] });
    expect(calls()).toBe(1);
  });

  it('keeps when a finding was first seen, run after run', async () => {
    const firstSeen = '2026-01-02T03:04:05.000Z';
    await importAll(report(finding(1, { firstSeen, change: 'new', previousStatus: null })));
    const later = report(finding(1, { firstSeen, severity: 'high' }));
    await importAll({ ...later, finishedAt: '2026-03-15T00:00:00.000Z' });
    expect(stored()).toMatchObject([
      {
        FirstObservedAt: firstSeen,
        CreatedAt: firstSeen,
        UpdatedAt: '2026-03-15T00:00:00.000Z',
        Severity: { Label: 'HIGH' },
      },
    ]);
  });

  it('is a failure of the whole when the hub refuses the call', async () => {
    hub.faults.plan([{ operation: 'BatchImportFindings', nth: 1, fault: { kind: 'refuse', status: 500 } }]);
    await expect(importAll(hundred)).rejects.toMatchObject({ code: 'AWS_CALL_FAILED', disposition: 'retry' });
  });

  it('from an account without Security Hub says so', async () => {
    await using closed = await createSecurityHubService({ clock, enabled: false }).listen();
    server = closed;
    await expect(importAll(hundred)).rejects.toMatchObject({ error: 'InvalidAccessException', disposition: 'give-up' });
  });
});

describe('A35 ten thousand clusters', () => {
  it('send failures and changes alone, a hundred a call, at the rate of the account', async () => {
    const large = realisticReport({ clusters: 10_000, troubled: 0.4 });
    const told = await allOf(asffFindings(sourceOf(large), target));
    const fails = large.findings.filter(({ status }) => status === 'FAIL').length;
    expect(told.length).toBeGreaterThanOrEqual(fails);
    expect(told.length).toBeLessThan(large.findings.length / 8);
    expect(await importAll(large)).toEqual({ imported: told.length, failed: [], notSent: 0 });
    expect(calls()).toBe(Math.ceil(told.length / 100));
    // Thirty at once, ten a second from then on: none is refused, and no time is lost.
    const waited = clock.waits.reduce((sum, ms) => sum + ms, 0);
    expect(waited).toBeLessThanOrEqual((calls() - 30) * 100 + 1);
    expect(waited).toBeGreaterThan((calls() - 31) * 100);
  }, 60_000);

  it('stop in time, and say how many were left', async () => {
    const many = report(...Array.from({ length: 5_000 }, (_, at) => finding(at)));
    const outcome = await importAll(many, 3_000);
    expect(outcome.imported).toBeGreaterThan(3_000);
    expect(outcome.imported + outcome.notSent).toBe(5_000);
    expect(outcome.notSent).toBeGreaterThan(0);
  });
});

describe('Security Hub', () => {
  it.each([
    ['a failure that is old', { status: 'FAIL', change: 'unchanged' }, 'ACTIVE', 'FAILED'],
    ['a new warning', { status: 'WARN', change: 'new', previousStatus: null }, 'ACTIVE', 'WARNING'],
    [
      'what could not be read any more',
      { status: 'UNKNOWN', change: 'changed', previousStatus: 'PASS' },
      'ACTIVE',
      'NOT_AVAILABLE',
    ],
    ['what was resolved', { status: 'PASS', change: 'resolved', previousStatus: 'FAIL' }, 'ARCHIVED', 'PASSED'],
    [
      'what an exception holds now',
      { status: 'EXEMPT', change: 'changed', previousStatus: 'FAIL' },
      'ARCHIVED',
      'NOT_AVAILABLE',
    ],
    ['what went with its cluster', { status: 'FAIL', change: 'gone' }, 'ARCHIVED', 'FAILED'],
  ] as const)('is told of %s', async (_, change, RecordState, Status) => {
    await importAll(report(finding(1, change)));
    expect(stored()).toMatchObject([{ RecordState, Compliance: { Status } }]);
  });

  it.each([
    ['a pass', { status: 'PASS', change: 'new', previousStatus: null }],
    ['a warning it knows', { status: 'WARN', change: 'unchanged', previousStatus: 'WARN' }],
    ['a pass that became inapplicable', { status: 'NOT_APPLICABLE', change: 'changed', previousStatus: 'PASS' }],
    ['a pass whose cluster went', { status: 'PASS', change: 'gone', previousStatus: 'PASS' }],
  ] as const)('is not told of %s', async (_, change) => {
    expect(await importAll(report(finding(1, change)))).toEqual({ imported: 0, failed: [], notSent: 0 });
    expect(calls()).toBe(0);
  });

  it('takes whatever a report may hold: names without end, controls, blanks', async () => {
    await assertProperty(
      fc.asyncProperty(anyReport, async (any) => {
        clock.advance(60_000);
        const outcome = await importAll({
          ...any,
          findings: any.findings.map((one) => ({ ...one, status: 'FAIL' as const })),
        });
        expect(outcome.failed).toEqual([]);
      }),
      { numRuns: 40 },
    );
    const hostile = realisticReport({
      clusters: hostileNames.length,
      troubled: 1,
      clusterName: (at) => hostileNames[at]!,
      reason: () => hostileNames.join(''),
    });
    expect(await importAll(hostile)).toMatchObject({ failed: [], notSent: 0 });
  });

  it('never has an open finding that the report has not', async () => {
    await assertProperty(
      fc.asyncProperty(anyReport, async (any) => {
        const told = await allOf(asffFindings(sourceOf(any), target));
        const open = new Set(
          any.findings.filter((f) => isOpen(f.status) && f.change !== 'gone').map(({ id }) => `atlas-automation/${id}`),
        );
        for (const { Id = '', RecordState } of told) expect(RecordState === 'ACTIVE').toBe(open.has(Id));
      }),
    );
  });

  it('gets the same in a file of requests, within the limits', async () => {
    const requests = linesOf<{ Findings: AwsSecurityFinding[] }>(
      await renderedAs('asff', realisticReport({ clusters: 400, troubled: 1 })),
    );
    expect(requests.length).toBeGreaterThan(5);
    for (const { Findings } of requests) {
      expect(Findings.length).toBeLessThanOrEqual(100);
      expect(JSON.stringify(Findings).length).toBeLessThan(6_000_000);
    }
  });

  it.each([
    ['more than a hundred', (f: object[]) => Array.from({ length: 101 }, () => f[0]), { status: 400 }],
    ['none', () => [], { status: 400 }],
  ])('on one machine refuses %s in a call', async (_, change, { status }) => {
    const [told] = await allOf(asffFindings(sourceOf(report(finding(1))), target));
    const answer = await fetch(`${server.origin}/findings/import`, {
      method: 'POST',
      headers: { authorization: 'Credential=x/20300101/us-east-1/securityhub/aws4_request' },
      body: JSON.stringify({ Findings: change([told!]) }),
    });
    expect(answer.status).toBe(status);
  });

  it.each([
    ['a title too long', { Title: 'x'.repeat(257) }],
    ['another account', { AwsAccountId: '111111111111' }],
    ['a time that is none', { UpdatedAt: 'yesterday' }],
    ['a field nobody knows', { Colour: 'red' }],
    ['no resource', { Resources: [] }],
    [
      'more than 240 KB',
      { ProductFields: Object.fromEntries(Array.from({ length: 200 }, (_, at) => [`k${at}`, 'x'.repeat(2_000)])) },
    ],
  ])('on one machine refuses a finding with %s, and takes the others', async (_, change) => {
    const told = await allOf(asffFindings(sourceOf(report(finding(1), finding(2))), target));
    const answer = await fetch(`${server.origin}/findings/import`, {
      method: 'POST',
      headers: { authorization: 'Credential=x/20300101/us-east-1/securityhub/aws4_request' },
      body: JSON.stringify({ Findings: [{ ...told[0], ...change }, told[1]] }),
    });
    expect(await answer.json()).toMatchObject({
      FailedCount: 1,
      SuccessCount: 1,
      FailedFindings: [{ ErrorCode: 'InvalidInput' }],
    });
  });
});
