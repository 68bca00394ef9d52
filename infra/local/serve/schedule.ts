import { Cron } from 'croner';

const UNITS: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/** When a schedule is due next after an instant; undefined where it never is again. */
export type NextDue = (after: Date) => Date | undefined;

/**
 * EventBridge's `rate(5 minutes)`, counted from `start`, and `cron(0 9 ? * MON-FRI *)`, by the clock of a time zone.
 * Throws for anything else.
 * Source: https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
 */
export function scheduleOf(expression: string, start: Date, timeZone = 'UTC'): NextDue {
  const [, count, unit = ''] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression) ?? [];
  const everyMs = Number(count) * (UNITS[unit] ?? 0);
  if (everyMs > 0) {
    // At the times that follow from the start, however late one of them was noticed.
    return (after) => {
      const passed = Math.floor((after.getTime() - start.getTime()) / everyMs);
      return new Date(start.getTime() + (Math.max(0, passed) + 1) * everyMs);
    };
  }
  const fields = /^cron\(([^)]+)\)$/.exec(expression)?.[1]?.split(/\s+/);
  if (fields?.length !== 6) throw new Error(`${expression} is no schedule that is understood here`);
  // Seconds come first here, days of the week begin with SUN = 1 there, and `?` there means any.
  const pattern = ['0', ...fields].join(' ').replaceAll('?', '*');
  const cron = new Cron(pattern, { paused: true, timezone: timeZone, alternativeWeekdays: true });
  return (after) => cron.nextRun(after) ?? undefined;
}

/** How many due times are gone through to find the latest; more than a year of one every ten minutes. */
const MOST = 60_000;

/** The last time something was due by `now`, where it was due at `since` and that was not noticed. */
export function latestDue(next: NextDue, since: Date, now: Date): Date {
  let latest = since;
  for (let left = MOST; left > 0; left--) {
    const following = next(latest);
    if (!following || following > now) return latest;
    latest = following;
  }
  return latest;
}
