/**
 * Calls one client 100,000 times and prints what its heap holds after a forced collection, in bytes, after every
 * 10,000. Run with --expose-gc by the client bench; takes the origin to call.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { forEachOf } from './client-load.ts';
import { ourReader } from './client-readers.ts';

const READINGS = 10;
const CALLS_BETWEEN = 10_000;

async function heapUsed(): Promise<number> {
  // More than once, with pauses: what one collection finalizes, the next frees.
  for (let pass = 0; pass < 3; pass++) {
    await delay(50);
    globalThis.gc?.();
  }
  return process.memoryUsage().heapUsed;
}

const { read } = ourReader(process.argv[2] ?? '', 'service account');
const readings: number[] = [];
for (let reading = 0; reading < READINGS; reading++) {
  await forEachOf(CALLS_BETWEEN, 32, read);
  readings.push(await heapUsed());
}
process.stdout.write(JSON.stringify(readings), () => process.exit());
