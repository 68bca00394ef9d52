import { type Call, changed } from './change.ts';
import type { MigrationSettings } from './contract.ts';
import type { Poll, Run } from './run.ts';

/** What one look at Atlas found: the migration, or that Atlas does not know its id. */
export type Seen =
  | {
      readonly status: string | null;
      readonly ready: boolean;
      /** Absent once the cutover began: no lag told is not a lag of zero. */
      readonly lagSeconds: number | null;
      /** The project's feed tells that somebody cancelled it. */
      readonly cancelled?: boolean;
    }
  | 'unknown id';

const HOUR_MS = 3_600_000;
const KEPT_POLLS = 240;
const WARN_HOURS = [72, 24, 6, 1];

/** Atlas ends the wait for a cutover between these two instants. */
export interface Deadline {
  readonly earliest: Date;
  readonly latest: Date;
}

/**
 * When the wait for the cutover ends. Atlas tells no deadline: its clock started at some moment between the last look
 * that found the migration not ready and the first that found it ready, and a readiness that came and went does not
 * start it anew. Undefined before it was ready. An extension in the user interface is invisible, so a recorded one counts
 * only once the migration has outlived the deadline it had.
 */
export function deadlineOf(run: Run, now: Date, policy: MigrationSettings): Deadline | undefined {
  if (run.firstReadyAt === undefined) return undefined;
  const windowMs = policy.cutoverWindowHours * HOUR_MS;
  const latest = new Date(Date.parse(run.firstReadyAt) + windowMs);
  const from = run.lastNotReadyAt ?? run.startedAt ?? run.createdAt;
  if (run.extension && now > latest) {
    const until = new Date(run.extension.until);
    return { earliest: until, latest: until };
  }
  return { earliest: new Date(Date.parse(from) + windowMs), latest };
}

/** When a migration in this condition is to be looked at next. */
export function nextPollAt(run: Run, now: Date, { pollSeconds }: MigrationSettings): string {
  const seconds =
    run.state === 'CUT_OVER'
      ? pollSeconds.backingUp
      : run.state === 'CUTTING_OVER' || run.state === 'CUTOVER_UNKNOWN'
        ? pollSeconds.cuttingOver
        : run.firstReadyAt === undefined
          ? pollSeconds.copying
          : pollSeconds.ready;
  return new Date(now.getTime() + seconds * 1000).toISOString();
}

/**
 * What a look at a migration that runs makes of it. Pure. Never believes in success what the status does not say, never
 * in failure what could be a gap: an unknown id, an empty status and a missing lag all leave it where it is.
 */
export function afterPoll(run: Run, seen: Seen, now: Date, policy: MigrationSettings, approvalId: string): Run {
  const looked: Run = { ...run, polledAt: now.toISOString(), nextPollAt: nextPollAt(run, now, policy) };
  if (seen === 'unknown id') return { ...looked, missing: run.missing + 1, steady: 0 };
  const found: Run = { ...looked, missing: 0 };
  switch (seen.status) {
    case 'COMPLETE':
      return hasCutOver(found, now);
    case 'FAILED':
      if (seen.cancelled) {
        const reason = 'somebody cancelled the migration in Atlas; the source is untouched';
        return changed(found, now, {
          to: 'CANCELLED_OUTSIDE',
          what: 'Atlas and the project’s events say that it was cancelled',
          reason,
          set: { approval: undefined },
          call: { what: 'ended', severity: 'warning', reason },
        });
      }
      return changed(found, now, {
        to: 'FAILED',
        what: 'Atlas says that it failed',
        reason: 'Atlas says that the migration failed; the source is untouched',
        set: { approval: undefined },
        call: ended('the migration failed: the source is untouched, the destination is not to be used'),
      });
    case 'EXPIRED': {
      const lastFollowed = run.polls.at(-1)?.at ?? run.startedAt ?? run.createdAt;
      return changed(found, now, {
        to: 'EXPIRED',
        what: 'Atlas says that it expired',
        reason: `nobody cut over in time: the destination’s data stops at about ${lastFollowed}, healthy as it looks, and the next attempt needs it empty`,
        facts: { dataStopsAt: lastFollowed },
        set: { approval: undefined },
        call: ended(`the migration expired: the destination’s data stops at about ${lastFollowed}`),
      });
    }
    default:
      return goesOn(found, seen, now, policy, approvalId);
  }
}

const ended = (reason: string): Call => ({ what: 'ended', severity: 'critical', reason });

/** A migration that is complete was cut over: by an approval recorded here, or by somebody else, and then that is recorded. */
function hasCutOver(run: Run, now: Date): Run {
  const byUs = run.cutover?.by === 'us' && run.approval !== undefined;
  return changed(run, now, {
    to: 'CUT_OVER',
    what: byUs ? 'the cutover is done' : 'somebody else cut it over',
    reason: 'Atlas has the data; waiting for the destination’s first snapshot since',
    set: byUs ? {} : { cutover: { intendedAt: now.toISOString(), until: now.toISOString(), by: 'somebody else' } },
    call: byUs
      ? undefined
      : { what: 'ended', severity: 'warning', reason: 'the migration was cut over outside of this automation' },
  });
}

function goesOn(
  run: Run,
  { status, ready, lagSeconds }: Exclude<Seen, string>,
  now: Date,
  policy: MigrationSettings,
  approvalId: string,
): Run {
  const at = now.toISOString();
  const poll: Poll = { at, ready, lagSeconds };
  let next: Run = {
    ...run,
    polls: thinned([...run.polls, poll]),
    ...(run.firstReadyAt === undefined && (ready ? { firstReadyAt: at } : { lastNotReadyAt: at })),
    steady:
      status === 'WORKING' && ready && lagSeconds !== null && lagSeconds <= policy.lagGateSeconds ? run.steady + 1 : 0,
  };
  next = { ...next, nextPollAt: nextPollAt(next, now, policy) };
  next = warned(next, lagSeconds, now, policy);
  if (next.state === 'CUTTING_OVER' || next.state === 'CUTOVER_UNKNOWN') return duringCutover(next, poll, now, policy);
  if (next.state === 'READY' && next.asked) return stillAsked(next, next.asked, now);
  return asked(next, now, policy, approvalId);
}

/** Too many looks for one item: of the older half every second one goes, so that the whole way stays to be seen. */
const thinned = (polls: readonly Poll[]): Poll[] =>
  polls.filter((_, nth) => polls.length <= KEPT_POLLS || nth >= polls.length / 2 || nth % 2 === 0);

/** A cutover that was asked for is under way as soon as Atlas tells no lag any more. */
function duringCutover(run: Run, { ready, lagSeconds, at }: Poll, now: Date, policy: MigrationSettings): Run {
  if (run.state === 'CUTTING_OVER') return stillCuttingOver(run, now, policy);
  if (lagSeconds === null && !ready) {
    return changed(run, now, {
      to: 'CUTTING_OVER',
      what: 'the cutover was carried out after all',
      reason: 'Atlas tells no lag any more: the cutover is under way',
    });
  }
  const silentMs = Date.parse(at) - Date.parse(run.cutover?.until ?? at);
  const isDue = silentMs >= policy.finalisationMinutes * 60_000 && !run.warned.includes('cutover');
  if (!isDue) return run;
  return changed(run, now, {
    what: 'the cutover seems not to have been carried out',
    reason: 'the answer to the cutover was lost, and the migration still follows its source: it is not sent again',
    set: { warned: [...run.warned, 'cutover'] },
    call: {
      what: 'cutover-unknown',
      severity: 'critical',
      reason: 'look in Atlas’s user interface; reject the cutover here to ask for a new approval',
      deadline: deadlineOf(run, now, policy)?.earliest.toISOString(),
    },
  });
}

/** It has begun, and nothing but waiting is left; past the time it takes at the most somebody should know. */
function stillCuttingOver(run: Run, now: Date, { finalisationMinutes }: MigrationSettings): Run {
  const begun = Date.parse(run.cutover?.intendedAt ?? now.toISOString());
  if (now.getTime() - begun < finalisationMinutes * 60_000 || run.warned.includes('cutover')) return run;
  return changed(run, now, {
    what: 'the cutover takes longer than it should',
    reason: run.reason,
    set: { warned: [...run.warned, 'cutover'] },
    call: {
      what: 'cutover-unknown',
      severity: 'critical',
      reason: `the cutover began ${finalisationMinutes} minutes ago or more and is not complete: keep the writes stopped, and look in Atlas’s user interface`,
    },
  });
}

/** An approval that was asked for is void as soon as what it was asked on no longer holds. */
function stillAsked(run: Run, ask: NonNullable<Run['asked']>, now: Date): Run {
  const isLate = now.getTime() >= Date.parse(ask.until);
  if (run.steady > 0 && !isLate) return run;
  return changed(run, now, {
    to: 'SYNCING',
    what: 'the approval asked for is void',
    reason: isLate
      ? 'nobody approved the cutover in time'
      : 'the migration is no longer ready, or its lag is too large',
    set: { asked: undefined, approval: undefined, steady: isLate ? run.steady : 0 },
  });
}

/** Asks for an approval once the lag has held still for long enough, and there is time for a cutover. */
function asked(run: Run, now: Date, policy: MigrationSettings, approvalId: string): Run {
  const lagSeconds = run.polls.at(-1)?.lagSeconds ?? null;
  if (run.state !== 'SYNCING' || run.steady < policy.lagGatePolls || lagSeconds === null) return run;
  if (run.askNotBefore !== undefined && now.getTime() < Date.parse(run.askNotBefore)) return run;
  const end = deadlineOf(run, now, policy)?.earliest;
  const lastCall = (end?.getTime() ?? Number.POSITIVE_INFINITY) - policy.finalisationMinutes * 60_000;
  if (now.getTime() >= lastCall) return run;
  const until = new Date(Math.min(now.getTime() + policy.approvalMinutes * 60_000, lastCall)).toISOString();
  return changed(run, now, {
    to: 'READY',
    what: 'asked for an approval of the cutover',
    reason: `ready for its cutover, ${lagSeconds} s behind its source: waiting for an approval until ${until}`,
    facts: { approvalId, lagSeconds, until, planDigest: run.planDigest },
    set: { asked: { approvalId, at: now.toISOString(), until, lagSeconds, planDigest: run.planDigest } },
    call: {
      what: 'approve-cutover',
      severity: 'warning',
      reason: `approve the cutover (approval ${approvalId}) once applications have stopped writing to the source, and let somebody else than ${run.requestedBy} and ${run.plannedBy} do it`,
      deadline: end?.toISOString(),
    },
  });
}

/** Warns of the end of the wait, and of an oplog that is about to be too short. */
function warned(run: Run, lagSeconds: number | null, now: Date, policy: MigrationSettings): Run {
  let next = run;
  const end = deadlineOf(run, now, policy);
  const isWaiting = run.state === 'SYNCING' || run.state === 'READY';
  const hoursLeft = end && (end.earliest.getTime() - now.getTime()) / HOUR_MS;
  const mark = (hours: number): string => `deadline ${end?.earliest.toISOString()} ${hours}`;
  const crossed = WARN_HOURS.filter((hours) => isWaiting && hoursLeft !== undefined && hoursLeft <= hours);
  const soonest = crossed.at(-1);
  if (end && soonest !== undefined && !run.warned.includes(mark(soonest))) {
    const has = now > end.latest ? 'should have given this migration up' : 'gives this migration up';
    const extended = run.extension
      ? `; an extension until ${run.extension.until} was recorded by ${run.extension.recordedBy}`
      : '; whoever extends it in Atlas’s user interface has to record that here';
    next = changed(next, now, {
      what: `${soonest} h or less are left for the cutover`,
      reason: next.reason,
      set: { warned: [...new Set([...run.warned, ...crossed.map(mark)])] },
      call: {
        what: 'deadline',
        severity: soonest > 24 ? 'warning' : 'critical',
        reason: `Atlas ${has} between ${bothTimes(end.earliest, policy)} and ${bothTimes(end.latest, policy)}${extended}`,
        deadline: end.earliest.toISOString(),
      },
    });
  }
  next = outlived(next, end, now);
  return warnedOfOplog(next, lagSeconds, now);
}

/** It still runs past its last possible deadline: somebody extended it, and until it is known until when, nothing is asked for. */
function outlived(run: Run, end: Deadline | undefined, now: Date): Run {
  const isWaiting = run.state === 'SYNCING' || run.state === 'READY';
  const mark = `outlived ${end?.latest.toISOString()}`;
  if (!end || !isWaiting || now <= end.latest || run.warned.includes(mark)) return run;
  return changed(run, now, {
    what: 'the migration has outlived its deadline',
    reason: run.reason,
    set: { warned: [...run.warned, mark] },
    call: {
      what: 'deadline',
      severity: 'critical',
      reason:
        'Atlas goes on past the deadline: somebody must have extended the migration. Record until when: before that no approval is asked for',
      deadline: end.earliest.toISOString(),
    },
  });
}

/** Which share of the oplog people are told of. */
const OPLOG_MARKS = [
  { over: 0.8, mark: 'oplog 0.8', severity: 'critical' },
  { over: 0.5, mark: 'oplog 0.5', severity: 'warning' },
] as const;

function warnedOfOplog(run: Run, lagSeconds: number | null, now: Date): Run {
  const { oplogWindowSeconds } = run;
  if (lagSeconds === null || oplogWindowSeconds === undefined || oplogWindowSeconds <= 0) return run;
  const share = lagSeconds / oplogWindowSeconds;
  const crossed = OPLOG_MARKS.find(({ over, mark }) => share > over && !run.warned.includes(mark));
  if (!crossed) return run;
  return changed(run, now, {
    what: 'the lag comes near the length of the source’s oplog',
    reason: run.reason,
    facts: { lagSeconds, oplogWindowSeconds },
    set: { warned: [...run.warned, crossed.mark] },
    call: {
      what: 'lag',
      severity: crossed.severity,
      reason: `${lagSeconds} s behind, of the ${oplogWindowSeconds} s the source’s oplog holds: past that the migration is dead, whatever Atlas says`,
    },
  });
}

/** An instant for people: in UTC, and in the zone they live in. */
export function bothTimes(at: Date, { timeZone }: Pick<MigrationSettings, 'timeZone'>): string {
  if (timeZone === 'UTC') return at.toISOString();
  const local = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'short' }).format(at);
  return `${at.toISOString()} (${local} ${timeZone})`;
}
