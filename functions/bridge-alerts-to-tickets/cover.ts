import { DateTime } from 'luxon';
import type { Severity } from '../../lib/tickets/tickets.ts';
import type { Match, TicketSettings, Window } from './settings.ts';

/** What silences and routes look at. */
export interface Traceable {
  readonly source: 'atlas' | 'bundle';
  readonly projectId?: string | undefined;
  readonly cluster?: string | undefined;
  readonly host?: string | undefined;
  readonly type: string;
  readonly metric?: string | undefined;
  readonly severity: Severity;
  readonly tags?: Readonly<Record<string, string>> | undefined;
}

const compiled = new Map<string, RegExp>();

/** Whether one of the patterns fits; `*` stands for any letters, none included. */
export function fits(globs: readonly string[], text: string | undefined): boolean {
  return globs.some((glob) => {
    let pattern = compiled.get(glob);
    if (!pattern) {
      const escaped = glob.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replace(/\*+/g, '.*');
      pattern = new RegExp(`^${escaped}$`, 'is');
      compiled.set(glob, pattern);
    }
    return pattern.test(text ?? '');
  });
}

/** Why `when` does not hold, or undefined where it does. */
export function mismatch(when: Match, alert: Traceable): string | undefined {
  const checks: readonly [string, readonly string[] | undefined, string | undefined][] = [
    ['project', when.projects, alert.projectId],
    ['cluster', when.clusters, alert.cluster],
    ['host', when.hosts, alert.host],
    ['type', when.types, alert.type],
    ['metric', when.metrics, alert.metric],
  ];
  for (const [what, globs, value] of checks)
    if (globs && !fits(globs, value)) return `${what} is ${value ?? 'unknown'}`;
  if (when.severities && !when.severities.includes(alert.severity)) return `severity is ${alert.severity}`;
  if (when.sources && !when.sources.includes(alert.source)) return `source is ${alert.source}`;
  for (const [key, value] of Object.entries(when.tags ?? {}))
    if (alert.tags?.[key] !== value) return `tag ${key} is ${alert.tags?.[key] ?? 'not there'}`;
  return undefined;
}

const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

/**
 * When the hours that cover `now` are over, or undefined where none do. Times are wall time in the window's own zone: on
 * the day the clock is put forward a window that begins in the hour that is left out begins where that hour would have.
 */
export function windowUntil({ zone, days, start, end }: Window, now: number): number | undefined {
  const here = DateTime.fromMillis(now, { zone });
  const at = (day: DateTime, time: string): DateTime => {
    const [hour = 0, minute = 0] = time.split(':').map(Number);
    return day.startOf('day').set({ hour, minute });
  };
  for (const back of [0, 1]) {
    const day = here.minus({ days: back });
    if (!days.includes(DAYS[day.weekday - 1] ?? 'mon')) continue;
    const from = at(day, start);
    const until = at(end > start ? day : day.plus({ days: 1 }), end);
    if (from.toMillis() <= now && now < until.toMillis()) return until.toMillis();
  }
  return undefined;
}

/** Until when a silence or a maintenance window covers an alert, and its name; undefined where none does. */
export function coverOf(
  { silences, windows }: Pick<TicketSettings, 'silences' | 'windows'>,
  alert: Traceable,
  now: number,
): { until: number; name: string } | undefined {
  const covers = [
    ...silences
      .filter(({ from, until }) => Date.parse(from) <= now && now < Date.parse(until))
      .map(({ name, when, until }) => ({ name, when, until: Date.parse(until) })),
    ...windows.flatMap((window) => {
      const until = windowUntil(window, now);
      return until === undefined ? [] : [{ name: window.name, when: window.when, until }];
    }),
  ].filter(({ when }) => mismatch(when, alert) === undefined);
  return covers.reduce<{ until: number; name: string } | undefined>(
    (longest, { name, until }) => (longest && longest.until >= until ? longest : { name, until }),
    undefined,
  );
}
