import * as z from 'zod';
import type { State } from '../../lib/aws/state.ts';
import type { Deadline } from '../../lib/runtime/deadline.ts';
import { hashed } from './fleet-spread.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const KEY = { pk: 'service-account-fleet-look', sk: 'last' };
const LastLook = z.object({ at: z.iso.datetime() });

/** The last instant at or before `now` at which the look of the day of whoever is called so was due. Pure. */
export function lastDue(name: string, now: Date): Date {
  const today = Math.floor(now.getTime() / DAY_MS) * DAY_MS + hashed(name, 24) * HOUR_MS;
  return new Date(today <= now.getTime() ? today : today - DAY_MS);
}

/**
 * Whether this hourly run is the one that looks at the whole fleet. With a memory, the first one since the look was due;
 * without, the one within the hour in which it is due.
 */
export async function isLookDue(
  name: string,
  now: Date,
  state: State | undefined,
  deadline: Deadline,
): Promise<boolean> {
  const due = lastDue(name, now);
  if (!state) return now.getTime() - due.getTime() < HOUR_MS;
  const last = await state.read(KEY, LastLook, deadline);
  return last === undefined || Date.parse(last.value.at) < due.getTime();
}

/** Remembers the look of the day, once it is over. */
export async function lookedAt(now: Date, state: State | undefined, deadline: Deadline): Promise<void> {
  if (!state) return;
  const value: z.output<typeof LastLook> = { at: now.toISOString() };
  const last = await state.read(KEY, LastLook, deadline);
  await (last ? state.replace(last, value, deadline) : state.create(KEY, value, deadline));
}
