import { AutomationError } from '../../lib/errors.ts';
import type { Plan } from './plan.ts';
import { keys, RecordEntry, type Run } from './run.ts';
import type { Context } from './services.ts';

const TYPE = 'text/html; charset=utf-8';

/** Where a page lies in the bucket; only our own hashes and ids are in it. */
export const planPageKey = (digest: string): string => `migrations/${digest}/plan.html`;
export const timelinePageKey = (runId: string): string => `migrations/${runId}/timeline.html`;

/**
 * Writes the page of a plan, where there is a bucket to write it to; answers its name there. A page is for reading: one
 * that can't be written is logged, and holds nothing up.
 */
export async function keepPlanPage(
  context: Context,
  plan: Plan,
  notTaken: readonly string[],
): Promise<string | undefined> {
  return keep(context, planPageKey(plan.digest), async () => {
    const { planPage } = await import('./pages/plan-page.ts');
    return planPage(plan, notTaken, context.settings);
  });
}

/** Writes the page of a migration's course, over the one there is. */
export async function keepTimeline(context: Context, run: Run): Promise<string | undefined> {
  const {
    services: { state },
    deadline,
  } = context;
  return keep(context, timelinePageKey(run.runId), async () => {
    const record: RecordEntry[] = [];
    for await (const { value } of state.list(keys.record(run.runId, 0).pk, RecordEntry, deadline)) record.push(value);
    const { timelinePage } = await import('./pages/timeline-page.ts');
    return timelinePage(run, record, context.settings);
  });
}

async function keep(
  { services: { reports }, log, deadline }: Context,
  key: string,
  render: () => Promise<string>,
): Promise<string | undefined> {
  if (!reports) return undefined;
  try {
    await reports.put(key, await render(), TYPE, deadline);
    return key;
  } catch (error) {
    if (!(error instanceof AutomationError)) throw error;
    log.warn('a page could not be written', { facts: { key, code: error.code } });
    return undefined;
  }
}
