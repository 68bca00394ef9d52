import type { MovableClock } from '../../infra/local/clock.ts';
import { systemClock } from '../../lib/runtime/clock.ts';

/** Time that runs `speed` times as fast since `from`, in milliseconds since 1970: every process sees the same. */
export interface Pace {
  readonly from: number;
  readonly speed: number;
}

export const paced = ({ from, speed }: Pace): MovableClock => ({
  now: () => new Date(from + (Date.now() - from) * speed),
  sleep: (ms, signal) => systemClock.sleep(ms / speed, signal),
  advance: () => {},
});
