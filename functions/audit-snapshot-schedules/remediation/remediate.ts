import type { Logger } from '@aws-lambda-powertools/logger';
import { type Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import * as z from 'zod';
import type { State, Stored } from '../../../lib/aws/state.ts';
import type { Clock } from '../../../lib/runtime/clock.ts';
import type { Deadline } from '../../../lib/runtime/deadline.ts';
import type { AuditSettings, RemediateEvent } from '../contract.ts';
import { PlanRefused, RemediationIncomplete } from '../errors.ts';
import { migrationsUnderWay } from '../neighbours.ts';
import { listOrganizations } from '../organizations.ts';
import { loadPolicy } from '../policy/load.ts';
import { policySource } from '../policy-source.ts';
import { iso } from '../rules/time.ts';
import type { Services } from '../services.ts';
import { keys } from '../store.ts';
import { type Applied, applyChange } from './apply.ts';
import { makePlan, Plan, planDigest } from './plan.ts';

interface Remediating {
  readonly services: Services;
  readonly settings: AuditSettings;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly deadline: Deadline;
  readonly clock: Clock;
}

type Asked<Action extends RemediateEvent['action']> = Extract<RemediateEvent, { action: Action }>;

const Kept = z.object({ plan: Plan, approvedBy: z.string().nullable() });

const planKey = (digest: string) => ({ pk: 'remediation-plan', sk: digest });

export const remediate = (event: RemediateEvent, remediating: Remediating): Promise<object> =>
  event.action === 'plan' ? planAll(event, remediating) : applyPlan(event, remediating);

/** Makes a plan for each organization and keeps it until it ends; the plan is in the report bucket too, to be read. */
async function planAll(event: Asked<'plan'>, { services, settings, deadline, clock }: Remediating): Promise<object> {
  const source = await policySource(settings);
  loadPolicy(source, clock.now().getTime());
  const { client: atlas, budget } = services.atlas();
  const organizations = await listOrganizations(atlas, event.organization ?? settings.organization, deadline);
  const migrations = await migrationsUnderWay(services.state, deadline);
  const { mostClusters, planLastsHours } = settings.remediation;
  const plans = [];
  for (const organization of organizations) {
    const now = clock.now().getTime() + budget.aheadMs;
    const policy = loadPolicy(source, now, new Map(organization.projects.map(({ id, name }) => [id, name])));
    const made = await makePlan({
      organization,
      policy,
      reading: { atlas, deadline, now, clock },
      migrations,
      projects: event.projects,
      clusters: event.clusters,
      most: mostClusters,
    });
    const plan: Plan = {
      organizationId: organization.id,
      policyDigest: policy.digest,
      requestedBy: event.requestedBy,
      createdAt: iso(now),
      expiresAt: iso(now + planLastsHours * 3_600_000),
      ...made,
    };
    const digest = planDigest(plan);
    if (!event.dryRun && plan.changes.length > 0) {
      await keepPlan(services.state, digest, plan, deadline);
      const key = `${keys.folder(organization.id)}/plans/${digest}.json`;
      await services.reports.put(key, JSON.stringify(plan, undefined, 2), 'application/json', deadline);
    }
    plans.push({ planDigest: digest, ...plan });
  }
  return { dryRun: event.dryRun, plans };
}

async function keepPlan(state: State, digest: string, plan: Plan, deadline: Deadline): Promise<void> {
  // There for a while after it ends, so that a late approval is told so.
  const expiresAt = new Date(Date.parse(plan.expiresAt) + 30 * 86_400_000);
  await state.create(planKey(digest), { plan, approvedBy: null }, deadline, { expiresAt });
}

/** Carries a plan out, cluster by cluster, and writes down what became of each. */
async function applyPlan(
  { planDigest: digest, approvedBy, dryRun }: Asked<'apply'>,
  { services, settings, log, metrics, deadline, clock }: Remediating,
): Promise<object> {
  const now = clock.now().getTime();
  const stored = await services.state.read(planKey(digest), Kept, deadline);
  const { plan } = approvable(stored, { digest, approvedBy, now });
  const policy = loadPolicy(await policySource(settings), now);
  if (policy.digest !== plan.policyDigest) throw refuse('the policy has changed since the plan was made', digest);
  if (plan.changes.length > settings.remediation.mostClusters)
    throw refuse('it changes more clusters than one run may', digest);
  const migrations = await migrationsUnderWay(services.state, deadline);
  const { client: atlas } = services.atlas();
  if (stored && !dryRun) await approve(services.state, stored, approvedBy, digest, deadline);

  const applied: Applied[] = [];
  for (const change of plan.changes) {
    const migration = migrations.get(`${change.projectId}/${change.clusterName}`);
    const outcome = await applyChange(atlas, change, { migration, dryRun, deadline }).catch(
      (error: unknown): Applied => ({
        projectId: change.projectId,
        clusterName: change.clusterName,
        outcome: 'refused',
        reason: error instanceof Error ? error.message : 'unknown',
      }),
    );
    log.info('a schedule was looked at', { facts: { ...outcome } });
    applied.push(outcome);
  }
  const result = {
    dryRun,
    planDigest: digest,
    organizationId: plan.organizationId,
    approvedBy,
    appliedAt: iso(now),
    applied,
  };
  if (!dryRun) {
    const key = `${keys.folder(plan.organizationId)}/remediations/${digest}-${iso(now)}.json`;
    await services.reports.put(key, JSON.stringify(result, undefined, 2), 'application/json', deadline);
  }
  const failed = applied.filter(({ outcome }) => outcome === 'refused' || outcome === 'unknown');
  metrics.addMetric('SchedulesRaised', MetricUnit.Count, applied.filter(({ outcome }) => outcome === 'changed').length);
  metrics.addMetric('SchedulesNotRaised', MetricUnit.Count, failed.length);
  if (failed.length > 0) {
    const told = failed.map(({ clusterName, reason }) => `${clusterName}: ${reason}`).join('; ');
    throw new RemediationIncomplete(`${failed.length} of ${applied.length} schedules were not raised: ${told}`, result);
  }
  return result;
}

type KeptPlan = Stored<z.output<typeof Kept>>;

/** The plan, if it may be applied by this person now. */
function approvable(
  stored: KeptPlan | undefined,
  { digest, approvedBy, now }: { digest: string; approvedBy: string; now: number },
): z.output<typeof Kept> {
  if (!stored) throw refuse('there is no such plan', digest);
  const { plan, approvedBy: earlier } = stored.value;
  if (planDigest(plan) !== digest) throw refuse('the plan that was kept is not the one of this digest', digest);
  if (now > Date.parse(plan.expiresAt)) throw refuse(`the plan ended ${plan.expiresAt}`, digest);
  const same = (a: string, b: string): boolean => a.trim().toLowerCase() === b.trim().toLowerCase();
  if (same(plan.requestedBy, approvedBy)) throw refuse('whoever asked for a plan can not approve it', digest);
  // The same person may try again what did not work out; nobody else takes an approval over.
  if (earlier !== null && !same(earlier, approvedBy))
    throw refuse('the plan was approved by somebody else already', digest);
  return stored.value;
}

async function approve(
  state: State,
  stored: KeptPlan,
  approvedBy: string,
  digest: string,
  deadline: Deadline,
): Promise<void> {
  if (stored.value.approvedBy !== null) return;
  const { plan } = stored.value;
  const expiresAt = new Date(Date.parse(plan.expiresAt) + 30 * 86_400_000);
  const written = await state.replace(stored, { ...stored.value, approvedBy }, deadline, { expiresAt });
  if (!written) throw refuse('the plan is being applied by another invocation', digest);
}

const refuse = (reason: string, digest: string): PlanRefused =>
  new PlanRefused(`the plan is not applied: ${reason}`, { planDigest: digest });
