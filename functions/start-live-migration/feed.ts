import { changed } from './change.ts';
import type { MigrationSettings } from './contract.ts';
import { nextPollAt } from './course.ts';
import type { ImportEvent, ImportTold } from './look.ts';
import type { Run } from './run.ts';

type Told = readonly ImportTold[];

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
        set: { startUnknown: true },
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

/** A restart begins anew: what was told before it is over. */
const sinceRestart = (events: Told): Told =>
  events.slice(0, events.findIndex(({ type }) => type === 'CLUSTER_IMPORT_RESTART_REQUESTED') >>> 0);

/** Whether the feed says that the migration was cancelled, and not begun anew since. */
export const wasCancelled = (events: Told): boolean => tells(sinceRestart(events), 'CLUSTER_IMPORT_CANCELLED');

/** Whether the feed tells an end, of whatever kind. */
export const tellsEnd = (events: Told): boolean =>
  tells(
    sinceRestart(events),
    'CLUSTER_IMPORT_COMPLETED',
    'CLUSTER_IMPORT_CANCELLED',
    'CLUSTER_IMPORT_EXPIRED',
    'CLUSTER_IMPORT_FAILED',
  );

/** What the project's feed says of a migration Atlas's API says too little about. Newest first. Pure. */
export function afterEvents(run: Run, events: Told, now: Date, policy: MigrationSettings): Run {
  const looked: Run = { ...run, polledAt: now.toISOString(), nextPollAt: nextPollAt(run, now, policy), missing: 0 };
  const since = sinceRestart(events);
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
  const isFollowed = (run.state === 'SYNCING' || run.state === 'READY') && run.liveMigrationId !== undefined;
  if (tells(since, 'CLUSTER_IMPORT_CUTOVER') && isFollowed) {
    return changed(looked, now, {
      to: 'CUTTING_OVER',
      what: 'somebody else cuts it over',
      reason: 'somebody else began the cutover in Atlas',
      set: {
        asked: undefined,
        cutover: { intendedAt: now.toISOString(), until: now.toISOString(), by: 'somebody else' },
      },
    });
  }
  const isLost = run.missing > 0 && !run.warned.includes('unknown id');
  if (!isLost) return looked;
  return changed(looked, now, {
    what: 'Atlas does not know the migration’s id, and its events tell no end',
    reason: run.reason,
    set: { warned: [...run.warned, 'unknown id'] },
    call: {
      what: 'unknown-id',
      severity: 'critical',
      reason:
        'Atlas does not know the migration any more, and the project’s events tell of no end: look in Atlas’s user interface, and abandon it here if it is gone',
    },
  });
}
