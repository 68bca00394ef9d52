import { CHECKS, isAttestable, judge } from './checks.ts';
import type { CommandOf } from './contract.ts';
import { keepPlanPage } from './pages.ts';
import { keepPlan, sealed, standsAgainst } from './plan.ts';
import { requestHashOf } from './run.ts';
import type { Context } from './services.ts';
import { survey } from './survey.ts';
import { validationOf } from './validation.ts';

/**
 * Reads everything a migration depends on and judges it by every check; starts nothing but Atlas's own validation, and
 * that not in a dry run. Ask again once a pending validation is done.
 */
export async function makePlan(context: Context, command: CommandOf<'plan'>) {
  const { request, requestedBy, waivers, attestations, dryRun } = command;
  const requestHash = requestHashOf(request);
  const world = await survey(context, request);
  const validation = await validationOf(context, request, requestHash, world.now, dryRun);
  const checks = judge({ ...world, request, validation, waivers, attestations, settings: context.settings });
  const plan = sealed({
    madeAt: world.now.toISOString(),
    requestedBy,
    request,
    requestHash,
    checks,
    ...('id' in validation && { validation: { id: validation.id, startedAt: validation.startedAt } }),
    notMigrated: world.notMigrated,
    ...(world.snapshot && { snapshot: { id: world.snapshot.id, createdAt: world.snapshot.createdAt.toISOString() } }),
    ...(world.destinationHoldsData !== undefined && { destinationHoldsData: world.destinationHoldsData }),
    ...(world.oplogWindowSeconds !== undefined && { oplogWindowSeconds: world.oplogWindowSeconds }),
  });
  const notTaken = notTakenOf(command, world.now);
  if (!dryRun) await keepPlan(context.services.state, plan, context.deadline);
  const page = dryRun ? undefined : await keepPlanPage(context, plan, notTaken);
  const against = standsAgainst(plan);
  return {
    dryRun,
    plan,
    canStart: against.length === 0,
    notTaken,
    ...(page !== undefined && { page }),
    standsAgainst: against.map(({ id, title, outcome, remedy }) => ({ id, title, outcome, remedy })),
  };
}

/** Waivers and attestations that change nothing, and why: nobody is to believe that they do. */
function notTakenOf({ waivers, attestations }: CommandOf<'plan'>, now: Date): string[] {
  const find = (id: string) => CHECKS.find((check) => check.id === id);
  return [
    ...waivers.flatMap(({ check, expires }) => {
      const severity = find(check)?.severity;
      if (severity === undefined) return [`the waiver of ${check}: there is no such check`];
      if (severity !== 'WARNING') return [`the waiver of ${check}: a ${severity} can’t be waived`];
      return Date.parse(expires) <= now.getTime() ? [`the waiver of ${check}: it ended at ${expires}`] : [];
    }),
    ...attestations.flatMap(({ check }) => {
      const found = find(check);
      if (!found) return [`the attestation of ${check}: there is no such check`];
      return isAttestable(found) ? [] : [`the attestation of ${check}: it is read, not attested`];
    }),
  ];
}
