import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import type { State, Stored } from '../../lib/aws/state.ts';
import type { Deadline } from '../../lib/runtime/deadline.ts';
import { AuditTakenOver } from './errors.ts';

/** A run older than this is not gone on with: what it read first is too old by now. */
const RESUMABLE_MS = 6 * 3_600_000;

const AuditState = z.object({
  open: z
    .object({
      runId: z.string(),
      startedAt: z.iso.datetime(),
      mode: z.enum(['full', 'evidence']),
      policyDigest: z.string(),
    })
    .nullable(),
  lastRunId: z.string().nullable(),
  lastFullAt: z.iso.datetime().nullable(),
  lastPolicyDigest: z.string().nullable(),
  organizationName: z.string().nullable(),
});
type AuditState = z.output<typeof AuditState>;

/** One run of an organization, as whoever reads a part of it knows it. */
export interface RunInHand {
  readonly runId: string;
  readonly startedAt: string;
  readonly mode: 'full' | 'evidence';
  readonly resumed: boolean;
  readonly lastRunId: string | undefined;
  readonly organizationName: string | null;
  /** Throws AuditTakenOver where another invocation goes on with it. Called before every part is written. */
  hold(): Promise<void>;
}

/** A run which only one invocation at a time goes on with. */
export interface OpenRun extends RunInHand {
  /** The run is over; the next one begins anew. */
  close(organizationName: string | null): Promise<void>;
}

interface Opening {
  readonly state: State;
  readonly organizationId: string;
  readonly policyDigest: string;
  readonly mode: 'auto' | 'full' | 'evidence';
  readonly fullEveryDays: number;
  readonly anew: boolean;
  readonly dryRun: boolean;
  readonly now: number;
  readonly deadline: Deadline;
}

const empty: AuditState = {
  open: null,
  lastRunId: null,
  lastFullAt: null,
  lastPolicyDigest: null,
  organizationName: null,
};

/** Goes on with the run there is, or begins one. A dry run begins one that nobody knows of. */
export async function openRun(opening: Opening): Promise<OpenRun> {
  const { state, organizationId, policyDigest, anew, dryRun, now, deadline } = opening;
  const key = keyOf(organizationId);
  const stored = await state.read(key, AuditState, deadline);
  const before = stored?.value ?? empty;
  const open = before.open;
  const isFresh = open !== null && now - Date.parse(open.startedAt) < RESUMABLE_MS;
  const isSame =
    open !== null && open.policyDigest === policyDigest && (opening.mode === 'auto' || opening.mode === open.mode);
  const resumed = isFresh && isSame && !anew && !dryRun;
  const run = resumed && open ? open : begin(opening, before);
  const after: AuditState = { ...before, open: run };

  let held: Stored<AuditState> | undefined;
  const write = async (value: AuditState, over: Stored<AuditState> | undefined): Promise<Stored<AuditState>> => {
    const written = over ? await state.replace(over, value, deadline) : await state.create(key, value, deadline);
    if (!written)
      throw new AuditTakenOver('another invocation goes on with this audit', { organizationId, runId: run.runId });
    return written;
  };
  if (!dryRun) held = await write(after, stored);

  return {
    runId: run.runId,
    startedAt: run.startedAt,
    mode: run.mode,
    resumed,
    lastRunId: before.lastRunId ?? undefined,
    organizationName: before.organizationName,
    async hold() {
      held = await write(after, held);
    },
    async close(organizationName) {
      held = await write(ended(before, run, organizationName), held);
    },
  };
}

const keyOf = (organizationId: string) => ({ pk: 'audit', sk: organizationId });

const ended = (
  before: AuditState,
  { runId, mode, startedAt, policyDigest }: NonNullable<AuditState['open']>,
  organizationName: string | null,
): AuditState => ({
  open: null,
  lastRunId: runId,
  lastFullAt: mode === 'full' ? startedAt : before.lastFullAt,
  lastPolicyDigest: policyDigest,
  organizationName,
});

interface Joining {
  readonly state: State;
  readonly organizationId: string;
  readonly runId: string;
  readonly policyDigest: string;
  readonly deadline: Deadline;
}

/**
 * The run under way that many invocations share, each with a part of its own: none of them changes what the others go by
 * before the last one closes it. Throws AuditTakenOver where it is over, where another one has begun, and where the policy
 * is not the one it began with.
 */
export async function joinRun({ state, organizationId, runId, policyDigest, deadline }: Joining): Promise<OpenRun> {
  const look = async () => {
    const stored = await state.read(keyOf(organizationId), AuditState, deadline);
    const open = stored?.value.open;
    if (!stored || open?.runId !== runId || open.policyDigest !== policyDigest)
      throw new AuditTakenOver('this audit is over, or was begun anew', { organizationId, runId });
    return { stored, open };
  };
  const { stored, open } = await look();
  return {
    runId,
    startedAt: open.startedAt,
    mode: open.mode,
    resumed: true,
    lastRunId: stored.value.lastRunId ?? undefined,
    organizationName: stored.value.organizationName,
    async hold() {
      await look();
    },
    async close(organizationName) {
      const now = await look();
      const done = ended(now.stored.value, now.open, organizationName);
      if (!(await state.replace(now.stored, done, deadline)))
        throw new AuditTakenOver('another invocation goes on with this audit', { organizationId, runId });
    },
  };
}

function begin(
  { mode, fullEveryDays, policyDigest, now }: Opening,
  before: AuditState,
): NonNullable<AuditState['open']> {
  const startedAt = new Date(now).toISOString();
  const sinceFull = before.lastFullAt === null ? Number.POSITIVE_INFINITY : now - Date.parse(before.lastFullAt);
  // A minute early is on time: schedules are not exact.
  const isDue = sinceFull >= fullEveryDays * 86_400_000 - 60_000 || before.lastPolicyDigest !== policyDigest;
  return {
    runId: `${startedAt.replace(/[-:]|\.\d+/g, '')}-${randomUUID().slice(0, 8)}`,
    startedAt,
    mode: mode === 'auto' ? (isDue ? 'full' : 'evidence') : before.lastRunId === null ? 'full' : mode,
    policyDigest,
  };
}
