import type { Clock } from '../../lib/runtime/clock.ts';

/** Time that stands still until somebody sleeps; a sleep takes no time at all and is remembered. */
export function manualClock(
  start = new Date('2030-01-01T00:00:00Z'),
): Clock & { readonly waits: number[]; advance(ms: number): void } {
  let now = start.getTime();
  const waits: number[] = [];
  return {
    waits,
    now: () => new Date(now),
    async sleep(ms, signal) {
      signal?.throwIfAborted();
      waits.push(ms);
      now += ms;
    },
    advance(ms) {
      now += ms;
    },
  };
}
