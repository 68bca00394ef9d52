import { judge } from './checks.ts';
import type { CommandOf } from './contract.ts';
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
  if (!dryRun) await keepPlan(context.services.state, plan, context.deadline);
  const against = standsAgainst(plan);
  return {
    dryRun,
    plan,
    canStart: against.length === 0,
    standsAgainst: against.map(({ id, title, outcome, remedy }) => ({ id, title, outcome, remedy })),
  };
}
