import * as z from 'zod';
import type { State } from '../../lib/aws/state.ts';
import type { Clock } from '../../lib/runtime/clock.ts';
import type { Deadline } from '../../lib/runtime/deadline.ts';

const Pace = z.object({
  pausedUntil: z.number().default(0),
  why: z.string().optional(),
  minute: z.object({ at: z.number(), used: z.number() }),
  hour: z.object({ at: z.number(), used: z.number() }),
});
type Pace = z.output<typeof Pace>;

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/**
 * Writes one container takes at a time at the most, so that not every one of them costs a write of its own. It takes as
 * many as it lately had use for: what it takes and does not write is lost to everybody for the minute.
 */
const SHARE = 20;
/** How long a pause that somebody else set may go unseen. */
const BLIND_MS = 2_000;
const TRIES = 8;

/** Writes a tracker takes, all tickets together. */
export interface Budget {
  readonly writesPerMinute: number;
  readonly writesPerHour?: number | undefined;
}

/** Keeps all containers together within what a tracker takes, and away from one that asked to be left alone. */
export interface Pacer {
  /** Undefined when one write may be sent now, or the instant to ask again. */
  take(destination: string, budget: Budget, deadline: Deadline): Promise<{ until: number; why: string } | undefined>;
  /** Nobody sends anything there before that instant. */
  pause(destination: string, until: number, why: string, deadline: Deadline): Promise<void>;
}

export function createPacer(state: State, clock: Clock): Pacer {
  const held = new Map<string, { share: number; left: number; until: number; looked: number }>();
  const key = (destination: string) => ({ pk: 'destination', sk: destination });
  const fresh = (now: number): Pace => ({
    pausedUntil: 0,
    minute: { at: now, used: 0 },
    hour: { at: now, used: 0 },
  });

  /** One after the other within a process: who comes second finds the share that the first one took. */
  const turns = new Map<string, Promise<unknown>>();

  const takeNow: Pacer['take'] = async (destination, budget, deadline) => {
    const now = clock.now().getTime();
    const own = held.get(destination);
    if (own && own.left > 0 && now < own.until && now < own.looked + BLIND_MS) {
      own.left--;
      return undefined;
    }
    const wanted = own === undefined ? 1 : own.left === 0 ? own.share * 2 : own.share - own.left;
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const stored = await state.read(key(destination), Pace, deadline);
      const pace = stored?.value ?? fresh(now);
      if (pace.pausedUntil > now) return { until: pace.pausedUntil, why: pace.why ?? 'paused' };
      const minute = now < pace.minute.at + MINUTE ? pace.minute : { at: now, used: 0 };
      const hour = now < pace.hour.at + HOUR ? pace.hour : { at: now, used: 0 };
      const perMinute = budget.writesPerMinute;
      const perHour = budget.writesPerHour ?? Number.POSITIVE_INFINITY;
      if (hour.used >= perHour) return { until: hour.at + HOUR, why: `${perHour} writes an hour` };
      if (minute.used >= perMinute) return { until: minute.at + MINUTE, why: `${perMinute} writes a minute` };
      const share = Math.max(
        1,
        Math.min(wanted, SHARE, Math.floor(perMinute / 10), perMinute - minute.used, perHour - hour.used),
      );
      const next: Pace = {
        pausedUntil: 0,
        minute: { ...minute, used: minute.used + share },
        hour: { ...hour, used: hour.used + share },
      };
      const written = stored
        ? await state.replace(stored, next, deadline)
        : await state.create(key(destination), next, deadline);
      if (!written) continue;
      held.set(destination, { share, left: share - 1, until: minute.at + MINUTE, looked: now });
      return undefined;
    }
    return { until: now + 1_000, why: 'everybody wants to write at once' };
  };

  return {
    async take(destination, budget, deadline) {
      const take = () => takeNow(destination, budget, deadline);
      const mine = (turns.get(destination) ?? Promise.resolve()).then(take, take);
      turns.set(destination, mine);
      return mine;
    },

    async pause(destination, until, why, deadline) {
      held.delete(destination);
      const now = clock.now().getTime();
      for (let attempt = 0; attempt < TRIES; attempt++) {
        const stored = await state.read(key(destination), Pace, deadline);
        const pace = stored?.value ?? fresh(now);
        if (pace.pausedUntil >= until) return;
        const next: Pace = { ...pace, pausedUntil: until, why };
        const written = stored
          ? await state.replace(stored, next, deadline)
          : await state.create(key(destination), next, deadline);
        if (written) return;
      }
    },
  };
}
