import { versionAt } from '../../lib/aws/secrets-manager.ts';
import { AutomationError } from '../../lib/errors.ts';
import { changed } from './change.ts';
import { IN_USE_TAG } from './contract.ts';
import type { Run } from './run.ts';
import type { Context } from './services.ts';

/**
 * Marks the source's secret as in use, and notes which version of it is sent. Where tags can't be set the migration goes
 * on without the mark, and its record says so.
 */
export async function markSecret({ services, log, deadline }: Context, run: Run): Promise<Run> {
  const { credentialsSecret } = run.request.source;
  if (credentialsSecret === undefined) return run;
  try {
    await services.secretTags.set(credentialsSecret, IN_USE_TAG, run.runId, deadline);
    const version = versionAt(await services.secretsManager.describe(credentialsSecret, deadline), 'AWSCURRENT');
    return { ...run, ...(version !== undefined && { secretVersion: version }) };
  } catch (error) {
    if (!(error instanceof AutomationError)) throw error;
    log.warn('the source’s secret could not be marked as in use', { facts: { runId: run.runId, code: error.code } });
    return { ...run, undo: { ...run.undo, secretMarked: false } };
  }
}

export async function unmarkSecret(
  { services: { secretTags }, deadline }: Context,
  { request: { source } }: Run,
): Promise<void> {
  if (source.credentialsSecret !== undefined) await secretTags.remove(source.credentialsSecret, IN_USE_TAG, deadline);
}

const MARK = 'secret changed';
/** Looks between two looks at the secret: it costs a call each time. */
const EVERY = 6;

/** Tells people once when the source's secret was changed all the same: Atlas goes on with what it was started with. */
export async function watchSecret(
  { services: { secretsManager }, log, deadline }: Context,
  run: Run,
  now: Date,
): Promise<Run> {
  const { credentialsSecret } = run.request.source;
  if (credentialsSecret === undefined || run.secretVersion === undefined || run.warned.includes(MARK)) return run;
  if (run.polls.length % EVERY !== 1) return run;
  try {
    const current = versionAt(await secretsManager.describe(credentialsSecret, deadline), 'AWSCURRENT');
    if (current === undefined || current === run.secretVersion) return run;
  } catch (error) {
    if (!(error instanceof AutomationError)) throw error;
    log.warn('the secret of the source could not be looked at', { facts: { runId: run.runId, code: error.code } });
    return run;
  }
  return changed(run, now, {
    what: 'the source’s secret was changed',
    reason: run.reason,
    set: { warned: [...run.warned, MARK] },
    call: {
      what: 'source-secret',
      severity: 'critical',
      reason:
        'the secret of the source’s credentials has another value since the start, and Atlas goes on with the old one: keep the old password valid until the migration is over',
    },
  });
}
