import type { Answered } from './approval.ts';
import { changed } from './change.ts';
import type { CommandOf, MigrationSettings } from './contract.ts';
import { deadlineOf, type Seen } from './course.ts';
import { ENDS, type Run } from './run.ts';

/**
 * Stops looking after a migration. What may go on in Atlas keeps its destination and its host until its end is told, so
 * that nothing else is started into them. Pure.
 */
export function abandon(
  run: Run,
  { requestedBy, reason, cancelledInAtlas }: Pick<CommandOf<'abandon'>, 'requestedBy' | 'reason' | 'cancelledInAtlas'>,
  now: Date,
): Answered {
  if (ENDS.has(run.state)) return { run, refused: `it has ended already: ${run.state}` };
  const runsOn = run.state !== 'CUT_OVER' && !cancelledInAtlas;
  const consequence = runsOn
    ? '; what runs in Atlas runs on until it is cancelled there, and its destination and host stay taken until then'
    : '';
  return {
    run: changed(run, now, {
      to: 'ABANDONED',
      what: 'abandoned it',
      reason: `${requestedBy} abandoned it: ${reason}${consequence}`,
      by: requestedBy,
      facts: { was: run.state, cancelledInAtlas },
      set: { approval: undefined, asked: undefined, runsOn, nextPollAt: now.toISOString() },
    }),
  };
}

/**
 * Notes an extension that somebody made in Atlas's user interface. It counts once the migration has outlived the
 * deadline it had; until then the warnings of that one go on. Pure.
 */
export function recordExtension(
  run: Run,
  { recordedBy, until, note }: Pick<CommandOf<'record-extension'>, 'recordedBy' | 'until' | 'note'>,
  now: Date,
  policy: MigrationSettings,
): Answered {
  if (ENDS.has(run.state)) return { run, refused: `it has ended already: ${run.state}` };
  const end = deadlineOf(run, now, policy);
  if (!end) return { run, refused: 'it was not ready yet: there is no deadline to extend' };
  const at = new Date(until);
  const before = run.extension ? new Date(run.extension.until) : end.latest;
  if (at <= now || at <= before)
    return { run, refused: `until must be after the deadline there is: ${before.toISOString()}` };
  return {
    run: changed(run, now, {
      what: 'recorded an extension',
      reason: run.reason,
      by: recordedBy,
      facts: { until: at.toISOString(), note },
      set: {
        extension: { until: at.toISOString(), recordedBy, note },
        warned: run.warned.filter((mark) => !mark.startsWith('deadline ')),
      },
    }),
  };
}

/** What Atlas says of the id somebody gives, and who else has it. */
export interface Claimed {
  readonly seen: Seen;
  readonly hosts: readonly string[];
  readonly otherRun: string | undefined;
}

/** Gives a migration whose start was lost its id, where Atlas has one of that id that can be it. Pure. */
export function identify(
  run: Run,
  { liveMigrationId, identifiedBy }: Pick<CommandOf<'identify'>, 'liveMigrationId' | 'identifiedBy'>,
  now: Date,
  { seen, hosts, otherRun }: Claimed,
): Answered {
  const isLost = run.state === 'STARTED_UNIDENTIFIED' || run.state === 'START_UNKNOWN';
  const refusal = !isLost
    ? `its id is known, or it never ran: ${run.state}`
    : otherRun !== undefined
      ? `${liveMigrationId} is the migration of ${otherRun}`
      : seen === 'unknown id'
        ? `Atlas has no migration ${liveMigrationId} in the destination’s project`
        : seen.status === 'COMPLETE' || seen.status === 'FAILED' || seen.status === 'EXPIRED'
          ? `${liveMigrationId} has ended already: ${seen.status}`
          : hosts.length > 0 && !hosts.some((host) => sameHost(host, run.request.migrationHost))
            ? `${liveMigrationId} uses another host: ${hosts.join(', ')}`
            : undefined;
  if (refusal !== undefined) {
    const facts = { liveMigrationId, refusal };
    return {
      run: isLost ? changed(run, now, { what: 'refused an id', reason: run.reason, by: identifiedBy, facts }) : run,
      refused: refusal,
    };
  }
  return {
    run: changed(run, now, {
      to: 'SYNCING',
      what: 'gave the migration its id',
      reason: 'Atlas copies the data',
      by: identifiedBy,
      facts: { liveMigrationId },
      set: {
        liveMigrationId,
        startedAt: run.startedAt ?? run.start.intendedAt,
        missing: 0,
        nextPollAt: now.toISOString(),
      },
    }),
  };
}

/** With and without its port: lists give either. */
const sameHost = (one: string, other: string): boolean => {
  const [a = '', b = ''] = [one, other].map((host) => host.toLowerCase());
  return a === b || a.split(':')[0] === b || a === b.split(':')[0];
};
