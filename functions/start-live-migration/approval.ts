import { changed } from './change.ts';
import type { CommandOf, MigrationSettings } from './contract.ts';
import { deadlineOf, type Seen } from './course.ts';
import type { Run } from './run.ts';

/** What an answer to an approval comes to: the run after it, and why it was refused, if it was. */
export interface Answered {
  readonly run: Run;
  readonly refused?: string;
}

/** However it is written: width, case, spaces and marks that show as nothing make nobody somebody else. */
const personOf = (name: string): string =>
  name
    .normalize('NFKC')
    .replaceAll(/[\s\p{Cf}]+/gu, '')
    .toLowerCase();
export const samePerson = (one: string, other: string): boolean => personOf(one) === personOf(other);

/**
 * Takes an approval, or says why not; either way it is recorded. It is good for this migration, this plan, this asking,
 * once, in time, and never from whoever asked for the migration. Pure.
 */
export function approve(
  run: Run,
  command: Pick<CommandOf<'approve-cutover'>, 'approvalId' | 'planDigest' | 'approvedBy'>,
  now: Date,
  policy: MigrationSettings,
): Answered {
  const refusal = refusalOf(run, command, now, policy);
  const { approvedBy: by, approvalId } = command;
  if (refusal !== undefined) {
    return {
      run: changed(run, now, { what: 'refused an approval', reason: run.reason, by, facts: { approvalId, refusal } }),
      refused: refusal,
    };
  }
  return {
    run: changed(run, now, {
      to: 'APPROVED',
      what: 'approved the cutover',
      reason: `${by} approved the cutover`,
      by,
      facts: { approvalId, planDigest: command.planDigest },
      set: {
        asked: undefined,
        approval: { approvalId, by, at: now.toISOString(), lagSeconds: run.asked?.lagSeconds ?? 0 },
      },
    }),
  };
}

function refusalOf(
  run: Run,
  {
    approvalId,
    planDigest,
    approvedBy,
  }: Pick<CommandOf<'approve-cutover'>, 'approvalId' | 'planDigest' | 'approvedBy'>,
  now: Date,
  policy: MigrationSettings,
): string | undefined {
  if (run.state !== 'READY' || !run.asked) return `no approval is asked for: the migration is ${run.state}`;
  if (approvalId !== run.asked.approvalId) return 'this approval was not asked for, or was void already';
  if (planDigest !== run.asked.planDigest) return 'the approval is for another plan';
  if ([run.requestedBy, run.plannedBy].some((one) => samePerson(one, approvedBy)))
    return 'whoever planned or started the migration cannot approve its cutover';
  if (now.getTime() >= Date.parse(run.asked.until))
    return `the approval came late: it was asked for until ${run.asked.until}`;
  return timeLeftProblem(run, now, policy);
}

function timeLeftProblem(run: Run, now: Date, policy: MigrationSettings): string | undefined {
  const end = deadlineOf(run, now, policy)?.earliest;
  if (end === undefined || end.getTime() - now.getTime() >= policy.finalisationMinutes * 60_000) return undefined;
  return `Atlas may give the migration up at ${end.toISOString()}, and a cutover takes up to ${policy.finalisationMinutes} minutes`;
}

/** Why the cutover that was approved must not begin after all, by a look made since; undefined where it may. Pure. */
export function standsAgainstCutover(run: Run, seen: Seen, now: Date, policy: MigrationSettings): string | undefined {
  if (run.state !== 'APPROVED' || !run.approval) return 'it is not approved';
  if (seen === 'unknown id') return 'Atlas does not know the migration just now';
  if (seen.status !== 'WORKING') return `its status is ${seen.status ?? 'not told'}`;
  if (!seen.ready) return 'Atlas no longer says that it is ready';
  if (seen.lagSeconds === null) return 'Atlas tells no lag';
  if (seen.lagSeconds > policy.lagGateSeconds) return `it is ${seen.lagSeconds} s behind its source`;
  // An approval does not outlive the window it was asked in.
  if (now.getTime() - Date.parse(run.approval.at) > policy.approvalMinutes * 60_000)
    return 'the approval has become old';
  return timeLeftProblem(run, now, policy);
}

/** The approval is spent, and the migration follows its source on. */
export const voided = (run: Run, now: Date, why: string): Run =>
  changed(run, now, {
    to: 'SYNCING',
    what: 'the approved cutover did not begin',
    reason: why,
    set: { approval: undefined, asked: undefined, steady: 0 },
    call: { what: 'approve-cutover', severity: 'warning', reason: `the cutover did not begin: ${why}` },
  });

/** A person says no: to the cutover asked for, or to one whose outcome is unknown and which did not happen. */
export function reject(
  run: Run,
  { rejectedBy, reason, askAgainAt }: Pick<CommandOf<'reject-cutover'>, 'rejectedBy' | 'reason' | 'askAgainAt'>,
  now: Date,
): Answered {
  const canReject = run.state === 'READY' || run.state === 'APPROVED' || run.state === 'CUTOVER_UNKNOWN';
  if (!canReject) return { run, refused: `there is nothing to reject: the migration is ${run.state}` };
  if (run.state === 'CUTOVER_UNKNOWN' && run.cutover && now.getTime() < Date.parse(run.cutover.until))
    return { run, refused: `the cutover may still be on its way: reject it after ${run.cutover.until}` };
  return {
    run: changed(run, now, {
      to: 'SYNCING',
      what: 'rejected the cutover',
      reason: `${rejectedBy} rejected the cutover: ${reason}`,
      by: rejectedBy,
      facts: { askAgainAt },
      set: {
        approval: undefined,
        asked: undefined,
        cutover: undefined,
        steady: 0,
        askNotBefore: askAgainAt === undefined ? undefined : new Date(askAgainAt).toISOString(),
      },
    }),
  };
}
