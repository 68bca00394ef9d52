import * as z from 'zod';
import type { Key, State } from '../aws/state.ts';
import type { Deadline } from '../runtime/deadline.ts';
import { FanOutFailed } from './target.ts';

/** What is known of one target: the version it was last asked to hold, and since when it does. */
const Acknowledgement = z.object({
  versionId: z.string(),
  /** When it was first asked for this version. */
  requestedAt: z.iso.datetime(),
  /** When the version was known to be there; missing while it is not. */
  acknowledgedAt: z.iso.datetime().optional(),
  /** What the place itself shows of what it held then, where it never shows the value: another mark, another value. */
  mark: z.string().optional(),
});
export type Acknowledgement = z.output<typeof Acknowledgement>;

/**
 * Memory for the targets whose value nobody can read back. Kept in the state table: without one such a target is never
 * known to hold a version, and says so.
 */
export interface Acknowledgements {
  read(target: string, secretArn: string, deadline: Deadline): Promise<Acknowledgement | undefined>;
  /** Remembers that the version was asked for; keeps the first instant of it. Answers what is known of it. */
  requested(
    target: string,
    of: { readonly secretArn: string; readonly versionId: string },
    now: Date,
    deadline: Deadline,
  ): Promise<Acknowledgement>;
  /** Remembers that the version is there. Safe to repeat; an acknowledgement of it keeps its first instant. */
  acknowledged(
    target: string,
    of: { readonly secretArn: string; readonly versionId: string; readonly mark?: string },
    now: Date,
    deadline: Deadline,
  ): Promise<void>;
}

/** Writers of one item in a row that may come first, before it is taken for a fault. */
const TRIES = 5;

export function createAcknowledgements(state: State | undefined): Acknowledgements {
  const keyOf = (target: string, secretArn: string): Key => ({ pk: `fan-out ${secretArn}`, sk: target });

  const needed = (target: string): State => {
    if (state) return state;
    throw new FanOutFailed(
      'FAN_OUT_NEEDS_STATE',
      `without STATE_TABLE nobody can remember which version ${target} holds`,
      { target },
    );
  };

  /** Compare-and-swap until it is in: each try decides on what is there then. */
  async function change(
    target: string,
    secretArn: string,
    decide: (known: Acknowledgement | undefined) => Acknowledgement,
    deadline: Deadline,
  ): Promise<Acknowledgement> {
    const items = needed(target);
    const key = keyOf(target, secretArn);
    for (let tries = 0; tries < TRIES; tries++) {
      const stored = await items.read(key, Acknowledgement, deadline);
      const next = decide(stored?.value);
      if (stored && next === stored.value) return next;
      const written = stored ? await items.replace(stored, next, deadline) : await items.create(key, next, deadline);
      if (written) return next;
    }
    throw new FanOutFailed('FAN_OUT_UNAVAILABLE', `too many writers at once remember what ${target} holds`, { target });
  }

  return {
    async read(target, secretArn, deadline) {
      return (await needed(target).read(keyOf(target, secretArn), Acknowledgement, deadline))?.value;
    },

    requested(target, { secretArn, versionId }, now, deadline) {
      const fresh = (): Acknowledgement => ({ versionId, requestedAt: now.toISOString() });
      return change(target, secretArn, (known) => (known?.versionId === versionId ? known : fresh()), deadline);
    },

    async acknowledged(target, { secretArn, versionId, mark }, now, deadline) {
      const at = now.toISOString();
      await change(
        target,
        secretArn,
        (known) => {
          if (known?.versionId !== versionId)
            return { versionId, requestedAt: at, acknowledgedAt: at, ...(mark !== undefined && { mark }) };
          if (known.acknowledgedAt !== undefined && known.mark === mark) return known;
          return { ...known, acknowledgedAt: known.acknowledgedAt ?? at, mark };
        },
        deadline,
      );
    },
  };
}
