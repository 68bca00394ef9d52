import { changed } from './change.ts';
import type { MigrationSettings } from './contract.ts';
import { nextPollAt } from './course.ts';
import type { ImportEvent } from './look.ts';
import type { Run } from './run.ts';

type Told = readonly { readonly type: ImportEvent; readonly at: Date | undefined }[];

const tells = (events: Told, ...types: ImportEvent[]): boolean => events.some(({ type }) => types.includes(type));

/**
 * What the project's feed makes of a start whose answer nobody has. While its sender may be alive nothing is concluded;
 * a start that was carried out is never sent again, and one the feed does not show within its patience was not. Pure.
 */
export function afterStartLookUp(run: Run, events: Told, now: Date, policy: MigrationSettings): Run {
  const looked: Run = { ...run, polledAt: now.toISOString(), nextPollAt: nextPollAt(run, now, policy) };
  const until = Date.parse(run.start.until);
  if (run.state === 'START_INTENT') {
    if (now.getTime() < until) return { ...looked, nextPollAt: run.start.until };
    return afterStartLookUp(
      changed(looked, now, {
        to: 'START_UNKNOWN',
        what: 'the answer to the start is not known',
        reason:
          'the migration may or may not have been started: it is not started again, and the project’s events are asked instead',
      }),
      events,
      now,
      policy,
    );
  }
  if (tells(events, 'CLUSTER_IMPORT_STARTED')) {
    return afterEvents(
      changed(looked, now, {
        to: 'STARTED_UNIDENTIFIED',
        what: 'the start was carried out',
        reason: 'Atlas started the migration, and its id is not known: no API tells it',
        set: { startedAt: run.start.intendedAt },
        call: {
          what: 'start-unknown',
          severity: 'critical',
          reason:
            'the migration runs, and its id was lost: read it off Atlas’s user interface and give it with the action identify',
        },
      }),
      events,
      now,
      policy,
    );
  }
  if (now.getTime() < until + policy.startPatienceMinutes * 60_000) return looked;
  return changed(looked, now, {
    to: 'FAILED',
    what: 'the start was not carried out',
    reason: `no event of a start within ${policy.startPatienceMinutes} minutes: plan anew, without dropDestinationData, after a look at Atlas’s user interface`,
    call: {
      what: 'start-unknown',
      severity: 'warning',
      reason:
        'the start seems not to have been carried out; have a look at Atlas’s user interface before planning anew',
    },
  });
}

/** What the project's feed says of a migration Atlas's API says too little about. Newest first. Pure. */
export function afterEvents(run: Run, events: Told, now: Date, policy: MigrationSettings): Run {
  const looked: Run = { ...run, polledAt: now.toISOString(), nextPollAt: nextPollAt(run, now, policy), missing: 0 };
  // A restart begins anew: what was told before it is over.
  const since = events.slice(0, events.findIndex(({ type }) => type === 'CLUSTER_IMPORT_RESTART_REQUESTED') >>> 0);
  const end = (to: 'FAILED' | 'EXPIRED' | 'CANCELLED_OUTSIDE', reason: string): Run =>
    changed(looked, now, {
      to,
      what: 'the project’s events tell its end',
      reason,
      set: { approval: undefined },
      call: { what: 'ended', severity: 'critical', reason },
    });
  if (tells(since, 'CLUSTER_IMPORT_COMPLETED')) {
    const byUs = run.cutover?.by === 'us' && run.approval !== undefined;
    return changed(looked, now, {
      to: 'CUT_OVER',
      what: byUs ? 'the cutover is done' : 'somebody else cut it over',
      reason: 'the project’s events say that it is complete; waiting for the destination’s first snapshot since',
      set: byUs ? {} : { cutover: { intendedAt: now.toISOString(), until: now.toISOString(), by: 'somebody else' } },
    });
  }
  if (tells(since, 'CLUSTER_IMPORT_CANCELLED'))
    return end('CANCELLED_OUTSIDE', 'somebody cancelled the migration in Atlas');
  if (tells(since, 'CLUSTER_IMPORT_EXPIRED'))
    return end('EXPIRED', 'the migration expired: the destination’s data stands still');
  if (tells(since, 'CLUSTER_IMPORT_FAILED')) return end('FAILED', 'the migration failed: the source is untouched');
  if (tells(since, 'CLUSTER_IMPORT_CUTOVER') && run.state === 'SYNCING' && run.liveMigrationId !== undefined) {
    return changed(looked, now, {
      to: 'CUTTING_OVER',
      what: 'somebody else cuts it over',
      reason: 'somebody else began the cutover in Atlas',
      set: { cutover: { intendedAt: now.toISOString(), until: now.toISOString(), by: 'somebody else' } },
    });
  }
  return looked;
}
