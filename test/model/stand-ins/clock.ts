import type { Clock } from '../../../lib/runtime/clock.ts';
import { theWire } from '../wire.ts';
import { time } from './time.ts';

/** In the place of the system's clock, in every module of the model's build. */
export const systemClock: Clock = {
  now: () => new Date(time.now()),
  sleep: (ms) => theWire().sleep(ms),
};
