import type { Logger } from '@aws-lambda-powertools/logger';
import { type Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { Clock } from '../../lib/runtime/clock.ts';
import type { Deadline } from '../../lib/runtime/deadline.ts';
import { createAnnouncer } from './announce.ts';
import type { AuditRequest, AuditSettings } from './contract.ts';
import { AuditIncomplete } from './errors.ts';
import { type Finished, type Finishing, finishRun } from './finish.ts';
import { listOrganizations, organizationNames } from './organizations.ts';
import { loadPolicy } from './policy/load.ts';
import type { Policy } from './policy/resolve.ts';
import { policySource } from './policy-source.ts';
import type { ReportHead } from './report.ts';
import { type Organization, type Ran, type Running, runAudit } from './run.ts';
import { type OpenRun, openRun, type RunInHand } from './run-state.ts';
import type { Services } from './services.ts';
import { keys } from './store.ts';
import { createTally, type Tally } from './tally.ts';

export interface Auditing {
  readonly services: Services;
  readonly settings: AuditSettings;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly deadline: Deadline;
  readonly clock: Clock;
}

type Request = Extract<AuditRequest, { action: 'audit' }>;

/** What an audit answers, and what its error says of it where it is not whole. */
export interface Outcome {
  readonly organizationId: string;
  readonly runId: string;
  readonly mode: ReportHead['mode'];
  readonly exitState: ReportHead['exitState'];
  readonly policyDigest: string;
  readonly totals: ReportHead['totals'];
  readonly coverage: ReportHead['coverage'];
  readonly cost: ReportHead['cost'];
  readonly announced: Finished['announced'];
  readonly report: string | null;
  readonly manifest: string | null;
}

/**
 * Audits every organization the credentials reach, one after the other. Throws AuditIncomplete once all reports are
 * stored where one of them is not complete, so that alarms and retries see it.
 */
export async function auditOrganizations(
  request: Request,
  auditing: Auditing,
): Promise<{ dryRun: boolean; audits: Outcome[] }> {
  const { services, settings, deadline, clock } = auditing;
  const source = await policySource(settings);
  // Before anything is called: with a policy that can't be used, nothing is audited.
  loadPolicy(source, clock.now().getTime());
  const { client, budget } = services.atlas();
  const organizations = await listOrganizations(client, request.organization ?? settings.organization, deadline);
  const audits: Outcome[] = [];
  for (const organization of organizations) {
    audits.push(await auditOrganization(organization, { request, source, client, budget, ...auditing }));
  }
  insistOnWhole(audits);
  return { dryRun: request.dryRun, audits };
}

/** Throws AuditIncomplete where one of them is not complete. */
export function insistOnWhole(audits: readonly Outcome[]): void {
  const partial = audits.filter(({ exitState }) => exitState !== 'complete');
  if (partial.length === 0) return;
  const told = partial.map(({ organizationId, exitState, coverage: { percent }, report }) => ({
    organizationId,
    exitState,
    percent,
    report,
  }));
  throw new AuditIncomplete(
    `the audit is ${told.map(({ exitState, percent, report }) => `${exitState} (${percent} % of clusters, ${report ?? 'dry run'})`).join(', ')}`,
    { audits: told },
  );
}

export interface One extends Auditing {
  readonly request: Request;
  readonly source: unknown;
  readonly client: ReturnType<Services['atlas']>['client'];
  readonly budget: ReturnType<Services['atlas']>['budget'];
}

async function auditOrganization(organization: Organization, one: One): Promise<Outcome> {
  const { request, budget, services, settings, log, deadline, clock } = one;
  const began = performance.now();
  const now = clock.now().getTime() + budget.aheadMs;
  const policy = policyFor(organization, one, now);
  const run = await openRun({
    state: services.state,
    organizationId: organization.id,
    policyDigest: policy.digest,
    mode: request.mode,
    fullEveryDays: settings.fullEveryDays,
    anew: request.anew,
    dryRun: request.dryRun,
    now,
    deadline,
  });
  log.info('audit began', {
    facts: { organizationId: organization.id, runId: run.runId, mode: run.mode, resumed: run.resumed },
  });
  const running = runningOf(run, policy, one, now);
  const tally = await tallyOf(organization, run, one);
  const ran = await runAudit(organization, running, tally);
  return conclude(organization, { ran, tally, run, policy, began, now }, one);
}

interface Concluding {
  readonly ran: Ran;
  readonly tally: Tally;
  readonly run: OpenRun;
  readonly policy: Policy;
  /** By `performance.now()`. */
  readonly began: number;
  readonly now: number;
  /** This invocation's own unless given. */
  readonly cost?: Finishing['cost'];
}

export const policyFor = ({ projects }: Pick<Organization, 'projects'>, { source }: Pick<One, 'source'>, now: number) =>
  loadPolicy(source, now, new Map(projects.map(({ id, name }) => [id, name])));

export const runningOf = (
  run: RunInHand,
  policy: Policy,
  { request, client, services, settings, deadline, clock }: One,
  now: number,
): Running => ({
  services,
  sockets: settings.sockets,
  reading: { atlas: client, deadline, now, clock },
  policy,
  run,
  dryRun: request.dryRun,
});

export async function tallyOf(
  { id }: Organization,
  run: RunInHand,
  { services, settings, deadline }: One,
): Promise<Tally> {
  const { reports, events } = services;
  const options = { reports, events, organizationId: id, runId: run.runId, mostOpened: settings.mostOpenedPerRun };
  return createTally(await createAnnouncer(options, deadline));
}

/** The report of a run whose parts are all there, and everything that is told of it. */
export async function conclude(
  organization: Organization,
  { ran, tally, run, policy, began, now, cost }: Concluding,
  one: One,
): Promise<Outcome> {
  const { request, client, budget, services, settings, log, metrics, deadline } = one;
  const organizationName =
    run.organizationName ?? (await organizationNames(client, deadline)).get(organization.id) ?? null;
  const finished = await finishRun({
    services,
    settings,
    organization,
    organizationName,
    ran,
    tally,
    run,
    policy,
    cost: cost ?? budget.cost,
    tookMs: Math.round(performance.now() - began),
    now,
    dryRun: request.dryRun,
    deadline,
  });
  const { head, announced, files } = finished;
  if (!request.dryRun) {
    await run.close(organizationName);
    await importFindings(finished, one);
  }
  measure(metrics, finished);
  log.info('audit finished', {
    facts: { runId: run.runId, exitState: head.exitState, totals: head.totals.byStatus, announced },
  });
  return {
    organizationId: organization.id,
    runId: run.runId,
    mode: run.mode,
    exitState: head.exitState,
    policyDigest: policy.digest,
    totals: head.totals,
    coverage: head.coverage,
    cost: head.cost,
    announced,
    report: (files.find(({ name }) => name === 'report.json') ?? files[0])?.key ?? null,
    manifest: request.dryRun ? null : keys.manifest(organization.id, run.runId),
  };
}

/** After the report is stored, and never instead of it. */
async function importFindings({ source }: Finished, { settings, log, metrics, deadline, clock }: One): Promise<void> {
  if (!settings.securityHub) return;
  const [{ importFindings: send }, { createSecurityHub }] = await Promise.all([
    import('./outputs/import-findings.ts'),
    import('../../lib/aws/security-hub.ts'),
  ]);
  try {
    const { imported, failed, notSent } = await send(source, settings.securityHub, {
      securityHub: createSecurityHub(clock),
      deadline,
    });
    metrics.addMetric('SecurityHubNotImported', MetricUnit.Count, failed.length + notSent);
    if (failed.length + notSent > 0)
      log.warn('Security Hub did not take every finding', { facts: { imported, failed, notSent } });
  } catch (error) {
    metrics.addMetric('SecurityHubNotImported', MetricUnit.Count, 1);
    log.error('Security Hub could not be told', error instanceof Error ? error : String(error));
  }
}

function measure(metrics: Metrics, { head, oldestSnapshotSeconds, announced }: Finished): void {
  const { coverage, totals, cost } = head;
  metrics.addMetric('Coverage', MetricUnit.Percent, coverage.percent);
  metrics.addMetric('ProjectsUnreadable', MetricUnit.Count, coverage.projects - coverage.projectsRead);
  metrics.addMetric('Clusters', MetricUnit.Count, coverage.clusters);
  for (const [status, count] of Object.entries(totals.byStatus))
    metrics.addMetric(`Findings_${status}`, MetricUnit.Count, count);
  for (const [severity, count] of Object.entries(totals.bySeverity)) {
    metrics.addMetric(`Failures_${severity}`, MetricUnit.Count, count);
  }
  if (oldestSnapshotSeconds !== undefined)
    metrics.addMetric('OldestSnapshot', MetricUnit.Seconds, oldestSnapshotSeconds);
  metrics.addMetric('RunTime', MetricUnit.Milliseconds, cost.tookMs);
  metrics.addMetric('AtlasCalls', MetricUnit.Count, cost.calls);
  metrics.addMetric('AtlasThrottled', MetricUnit.Count, cost.throttled);
  metrics.addMetric('AtlasWaits', MetricUnit.Milliseconds, cost.waitedMs);
  metrics.addMetric('FindingsNotTold', MetricUnit.Count, announced.left);
}
