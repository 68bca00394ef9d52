import { theWire } from '../wire.ts';

/** In the place of node:timers/promises: what takes real time elsewhere takes the model's time here. */
export const setTimeout = (ms = 0): Promise<void> => theWire().sleep(ms);
