/**
 * Looks at Atlas for what nobody told, brings on what is due, and takes up what was given up.
 * Triggers: every five minutes; every minute with `{"task":"due"}`; by hand. Effects: those of deliver-tickets. Safe to
 * repeat; `{"dryRun": true}` writes nothing and says what the real one would hear.
 */
import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { AutomationError } from '../../lib/errors.ts';
import type { Deadline } from '../../lib/runtime/deadline.ts';
import { defineHandler } from '../../lib/runtime/handler.ts';
import { type Bridge, createBridge } from './bridge.ts';
import { Config, ReconcileEvent, Settings } from './contract.ts';
import { bringOn, type DeliverOptions } from './deliver.ts';
import { drain } from './drain.ts';
import { hear } from './hear.ts';
import { createJournal, unitOf } from './journal.ts';
import { type Reconciled, reconcileProject } from './reconcile.ts';
import { redrive } from './redrive.ts';
import { lapsed } from './tell.ts';

/** Projects looked at side by side: each has a rate limit of its own. */
const SIDE_BY_SIDE = 4;
/** Incidents of one destination brought on in one run. */
const MOST_DUE = 500;

/** Not every project could be looked at; the others were, and nothing was closed for want of a look. */
class ReconcileIncomplete extends AutomationError {
  override readonly name = 'ReconcileIncomplete';
  readonly code = 'RECONCILE_INCOMPLETE';
  readonly disposition = 'retry';
}

export const handler = defineHandler({
  name: 'reconcile-alerts',
  config: Config,
  settings: Settings,
  event: ReconcileEvent,
  services: (config, { tickets }) => createBridge(config, tickets),

  async run({ task, dryRun, projects: wanted, redrive: how }, { services: bridge, log, metrics, deadline, clock }) {
    const journal = createJournal(bridge.store, () => clock.now().getTime());
    const onTrouble: DeliverOptions['onTrouble'] = (what, facts, error) => {
      const known =
        error instanceof AutomationError ? { code: error.code, facts: { ...error.facts, ...facts } } : { facts };
      log.error(what, { ...known, error: error instanceof Error ? error : undefined });
    };
    const options = { bridge, deadline, onTrouble };
    const { atlas } = bridge;
    const looked: Reconciled[] = [];

    if (how) {
      const redriven = await redrive(how, { ...options, journal });
      if (how === 'run') await journal.flush(deadline);
      return { redriven, projects: [], due: 0 };
    }
    if (task === 'reconcile' && atlas) {
      const queue = (wanted ?? (await projectsOf(bridge, deadline))).values();
      const lane = async (): Promise<void> => {
        for (const projectId of queue) {
          const result = await reconcileProject(projectId, { bridge, atlas, journal, deadline, dryRun });
          looked.push(result);
          if (dryRun) continue;
          const touched = await hear(result.observations, { bridge, journal, deadline });
          await result.settle();
          await bringOn([...touched, ...result.touched], options, journal);
        }
      };
      await Promise.all(Array.from({ length: SIDE_BY_SIDE }, lane));
    }
    let due = 0;
    if (!dryRun) {
      const quiet = await lapsed(bridge, deadline);
      const touched = await hear(quiet.observations, { bridge, journal, deadline });
      await quiet.settle();
      await bringOn(touched, options, journal);
      due = await drain({
        bridge,
        journal,
        deadline,
        most: MOST_DUE,
        onTrouble: (id, error) => onTrouble('an incident that is due could not be brought on', { ...id }, error),
      });
      await journal.flush(deadline);
      for (const [name, count] of journal.counts) metrics.addMetric(name, unitOf(name), count);
    }
    const incomplete = looked.filter(({ state }) => state !== 'looked');
    metrics.addMetric('ProjectsNotLookedAt', MetricUnit.Count, incomplete.length);
    const projects = looked.map(({ projectId, state, reason, calls, observations }) => ({
      projectId,
      state,
      ...(reason && { reason }),
      calls,
      news: observations.map(({ id, state: its, subject }) => ({ alert: id, state: its, type: subject.type })),
    }));
    if (incomplete.length > 0 && looked.length === incomplete.length)
      throw new ReconcileIncomplete(`none of ${looked.length} projects could be looked at`, {
        projects: incomplete.map(({ projectId, reason }) => ({ projectId, reason })),
      });
    return { dryRun, projects, due };
  },
});

/** Those of the settings, and those an alert was ever heard of. */
async function projectsOf({ settings, store }: Bridge, deadline: Deadline): Promise<string[]> {
  const found = new Set(settings.projects);
  for await (const { key } of store.projects(deadline)) if (/^[0-9a-f]{24}$/.test(key.sk)) found.add(key.sk);
  return [...found];
}
