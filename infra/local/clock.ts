import type { Clock } from '../../lib/runtime/clock.ts';
import { systemClock } from '../../lib/runtime/clock.ts';

/** Time that runs on by itself and can be moved forward: what the embedded services and the sandbox live by. */
export interface MovableClock extends Clock {
  /** Moves time forward by `ms` milliseconds at once. */
  advance(ms: number): void;
}

/** Starts at `start` and runs at the machine's pace from there, plus whatever it is advanced by. */
export function createMovableClock(start: Date = systemClock.now()): MovableClock {
  let offset = start.getTime() - Date.now();
  return {
    now: () => new Date(Date.now() + offset),
    sleep: systemClock.sleep,
    advance: (ms) => {
      offset += ms;
    },
  };
}
