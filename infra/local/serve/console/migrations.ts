import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import type { State } from '../../../../lib/aws/state.ts';
import { systemClock } from '../../../../lib/runtime/clock.ts';
import { deadlineIn } from '../../../../lib/runtime/deadline.ts';
import { FunctionFailed } from '../../lambda/container.ts';
import type { Host } from '../host.ts';
import { PATIENCE_MS } from './table.ts';

/** How old the list of migrations may be that a page shows. */
const FRESH_MS = 5_000;
/** What a page waits for a newer one. */
const SOON_MS = 60;
/** What one page shows of the course and of the record. */
const MOST_POLLS = 2_000;
const MOST_ENTRIES = 200;

const Place = z.object({ groupId: z.string(), clusterName: z.string() });
const Migration = z.looseObject({
  runId: z.string(),
  state: z.string(),
  reason: z.string().default(''),
  source: Place.optional(),
  destination: Place.optional(),
  requestedBy: z.string().default(''),
  planDigest: z.string().default(''),
  startedAt: z.string().nullish(),
  endedAt: z.string().nullish(),
  polledAt: z.string().nullish(),
  lagSeconds: z.number().nullish(),
  secondsToCatchUp: z.number().nullish(),
  deadline: z.object({ earliest: z.string(), latest: z.string(), local: z.string() }).nullish(),
  approval: z
    .object({ approvalId: z.string(), until: z.string().optional(), lagSeconds: z.number().optional() })
    .nullish(),
  approvedBy: z.string().nullish(),
  notMigrated: z.array(z.string()).default([]),
  nextSteps: z.array(z.string()).catch([]),
});
export type Migration = z.output<typeof Migration>;
const Status = z.object({ migrations: z.array(Migration) });

const Course = z.object({
  polls: z.array(z.object({ at: z.string(), ready: z.boolean(), lagSeconds: z.number().nullable() })).default([]),
  plannedBy: z.string().optional(),
});
const Check = z.object({
  id: z.string(),
  title: z.string(),
  severity: z.string(),
  outcome: z.string(),
  evidence: z.string(),
  remedy: z.string().default(''),
  waiver: z.object({ owner: z.string(), reason: z.string(), expires: z.string() }).optional(),
});
export type Check = z.output<typeof Check>;
const Plan = z.object({ checks: z.array(Check).default([]) });
const Entry = z.object({ seq: z.number(), at: z.string(), by: z.string(), what: z.string() });

/** One migration with everything a person decides by. */
export interface MigrationView {
  readonly migration: Migration;
  readonly polls: z.output<typeof Course>['polls'];
  readonly plannedBy: string | undefined;
  readonly checks: readonly Check[];
  /** What was done, the newest first. */
  readonly record: readonly z.output<typeof Entry>[];
}

/** Whether somebody has to say yes or no. */
export const waitsForApproval = ({ state, approval }: Migration): boolean => approval != null && state === 'READY';

/** Reads the migrations, and brings decisions to the function that takes them. */
export class MigrationReader {
  readonly #host: Host;
  readonly #table: State;
  #known: readonly Migration[] = [];
  #readAt = Number.NEGATIVE_INFINITY;
  #isOld = false;
  #reading: Promise<void> | undefined;

  /** Whether the last look failed: then the list is an older one. */
  unread = false;

  constructor(host: Host, table: State) {
    this.#host = host;
    this.#table = table;
  }

  get known(): readonly Migration[] {
    return this.#known;
  }

  /** False until the function has answered once: what is not known then may be there all the same. */
  get isRead(): boolean {
    return !this.isDeployed || this.#readAt !== Number.NEGATIVE_INFINITY;
  }

  get isDeployed(): boolean {
    return this.#host.wiring.functions.has('command-live-migration');
  }

  /** As the function itself tells it; those known so far where that takes longer than a page should. */
  async all(): Promise<readonly Migration[]> {
    if (!this.isDeployed || this.#host.stopping) return this.#known;
    if (this.#isOld || performance.now() - this.#readAt > FRESH_MS) this.#reading ??= this.#read();
    if (this.#reading) await Promise.race([this.#reading, sleep(SOON_MS)]);
    return this.#known;
  }

  /** The list is asked for anew by whoever looks next. */
  forget(): void {
    this.#isOld = true;
  }

  async one(runId: string): Promise<MigrationView | undefined> {
    const migration = (await this.all()).find((each) => each.runId === runId);
    if (!migration) return undefined;
    const state = this.#table;
    const deadline = deadlineIn(PATIENCE_MS, systemClock);
    const [course, plan] = await Promise.all([
      state.read({ pk: 'migration', sk: runId }, Course, deadline),
      state.read({ pk: 'migration-plan', sk: migration.planDigest }, Plan, deadline),
    ]);
    const record: z.output<typeof Entry>[] = [];
    for await (const { value } of state.list(`migration-record#${runId}`, Entry, deadline, { newestFirst: true })) {
      record.push(value);
      if (record.length === MOST_ENTRIES) break;
    }
    return {
      migration,
      polls: course?.value.polls.slice(-MOST_POLLS) ?? [],
      plannedBy: course?.value.plannedBy,
      checks: plan?.value.checks ?? [],
      record,
    };
  }

  /** Brings a decision to the function. Answers why it was not taken; undefined where it was. */
  async decide(event: Readonly<Record<string, unknown>>): Promise<string | undefined> {
    try {
      await this.#host.machine.invoke('command-live-migration', event);
      return undefined;
    } catch (error) {
      if (error instanceof FunctionFailed) return error.message;
      throw error;
    } finally {
      this.forget();
    }
  }

  async #read(): Promise<void> {
    try {
      const answer: unknown = await this.#host.machine
        .invoke('command-live-migration', { action: 'status', limit: 200 })
        .catch(() => undefined);
      const status = Status.safeParse(answer);
      this.unread = !status.success;
      if (status.success) this.#known = status.data.migrations;
      this.#readAt = performance.now();
      this.#isOld = false;
    } finally {
      this.#reading = undefined;
    }
  }
}
