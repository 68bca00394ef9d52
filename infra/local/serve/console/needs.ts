import type { Tone } from '../../../../lib/html/charts.ts';

/** Something a person should look at now. */
export interface Need {
  readonly tone: Extract<Tone, 'fail' | 'warn' | 'unknown'>;
  readonly kind: string;
  readonly text: string;
  readonly path: string;
}

export interface Situation {
  /** What the host itself cannot do, and why. */
  readonly troubles: ReadonlyMap<string, string>;
  /** The last run that ended, of each function. */
  readonly functions: readonly { readonly lambda: string; readonly error: string | undefined }[];
  readonly secrets: readonly {
    readonly name: string;
    readonly expiresAt: Date | undefined;
    readonly pending: boolean;
  }[];
  readonly migrations: readonly {
    readonly runId: string;
    /** What people call it. */
    readonly name: string;
    readonly state: string;
    readonly waitsForApproval: boolean;
  }[];
  readonly strandedEvents: number;
  readonly deadAlerts: number;
  readonly backups: { readonly exitState: string; readonly failing: number; readonly unknown: number } | undefined;
  readonly untakenTickets: number;
  readonly now: Date;
}

const DAY_MS = 86_400_000;
/** Atlas ends a replaced secret after seven days: with less than that, a rotation that fails has little time left. */
const SOON_DAYS = 7;

const many = (count: number, one: string, several: string): string => `${count} ${count === 1 ? one : several}`;

/** Worst first. */
export function needsOf(situation: Situation): Need[] {
  const { now, backups } = situation;
  const fail: Need[] = [];
  const warn: Need[] = [];
  for (const [what, why] of situation.troubles)
    fail.push({ tone: 'fail', kind: 'this host', text: `${what} fails, and is tried again: ${why}`, path: '/queue' });
  for (const { lambda, error } of situation.functions)
    if (error !== undefined)
      fail.push({ tone: 'fail', kind: 'failed', text: `${lambda}: ${error}`, path: `/functions/${lambda}` });
  if (situation.deadAlerts > 0)
    fail.push({
      tone: 'fail',
      kind: 'dead letters',
      text: `${many(situation.deadAlerts, 'alert was', 'alerts were')} given up`,
      path: '/queue',
    });
  if (situation.strandedEvents > 0)
    fail.push({
      tone: 'fail',
      kind: 'dead letters',
      text: `${many(situation.strandedEvents, 'event', 'events')} failed on every try, or are kept for you to see`,
      path: '/queue',
    });
  for (const { name, expiresAt, pending } of situation.secrets) {
    const days = expiresAt === undefined ? undefined : (expiresAt.getTime() - now.getTime()) / DAY_MS;
    if (days !== undefined && days <= 0)
      fail.push({ tone: 'fail', kind: 'expired', text: `${name} has expired`, path: '/secrets' });
    else if (days !== undefined && days < SOON_DAYS)
      warn.push({
        tone: 'warn',
        kind: 'expiring',
        text: `${name} expires in ${many(Math.max(1, Math.floor(days)), 'day', 'days')}`,
        path: '/secrets',
      });
    if (pending)
      warn.push({
        tone: 'warn',
        kind: 'not finished',
        text: `${name}: its rotation is not finished`,
        path: '/secrets',
      });
  }
  for (const { runId, name, state, waitsForApproval } of situation.migrations)
    if (waitsForApproval)
      warn.push({
        tone: 'warn',
        kind: 'decision',
        text: `The cutover of ${name} (${state}) waits for an approval`,
        path: `/migrations/${runId}`,
      });
  if (backups && backups.failing > 0)
    warn.push({
      tone: 'warn',
      kind: 'backups',
      text: `${many(backups.failing, 'finding', 'findings')} against the backup policy`,
      path: '/backups',
    });
  if (backups && (backups.exitState !== 'complete' || backups.unknown > 0))
    warn.push({
      tone: 'unknown',
      kind: 'backups',
      text: `the audit is ${backups.exitState}; ${many(backups.unknown, 'verdict is', 'verdicts are')} unknown`,
      path: '/backups',
    });
  if (situation.untakenTickets > 0)
    warn.push({
      tone: 'warn',
      kind: 'tickets',
      text: `${many(situation.untakenTickets, 'open ticket that nobody has', 'open tickets that nobody has')} taken`,
      path: '/tickets',
    });
  return [...fail, ...warn];
}
