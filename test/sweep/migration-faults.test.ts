/**
 * One fault at every call of a live migration's start and of its cutover, in turn: the process killed before and after,
 * the answer lost, the call carried out late, refused, failing. Whatever happened: at most one start and one cutover are
 * ever sent, no cutover without an approval, and the migration comes to an end once nothing goes wrong any more.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Fault } from '../../infra/local/faults.ts';
import { type Migration, type MigrationWorld, startMigrationWorld } from '../support/migration-world.ts';

const faults: Record<string, Fault> = {
  'killed before': { kind: 'kill', when: 'before' },
  'killed after': { kind: 'kill', when: 'after' },
  lost: { kind: 'lost' },
  late: { kind: 'late', ms: 60_000 },
  'refused with 429': { kind: 'refuse', status: 429, retryAfterSeconds: 0 },
  'failing with 500': { kind: 'refuse', status: 500 },
};
const START = 'createGroupLiveMigration';
const CUTOVER = 'cutoverGroupLiveMigration';
const ENDS = ['COMPLETE', 'FAILED', 'STARTED_UNIDENTIFIED', 'CUTOVER_UNKNOWN'];
const MOST_CALLS = 80;

let world: MigrationWorld;
beforeAll(async () => {
  world = await startMigrationWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

const quick = { copySeconds: 120, newSeconds: 10, cutoverSeconds: 60 };

/** As often as whoever gave the command would try it, while its answers get lost. */
async function insist(event: object): Promise<void> {
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      await world.command(event);
      return;
    } catch (error) {
      if (/MIGRATION_REFUSED|not taken/.test(String(error))) return;
    }
  }
}

/** Ticks until it ends, approving whatever is asked for. */
async function untilEnded(runId: string): Promise<Migration | undefined> {
  let last: Migration | undefined;
  for (let tick = 0; tick < 40; tick++) {
    world.machine.clock.advance(tick < 25 ? 61_000 : 3_600_000);
    last = (await world.tick()).find((each) => each.runId === runId) ?? last;
    if (last && ENDS.includes(last.state)) return last;
    if (last?.approval) await insist(approvalOf(last));
  }
  return last;
}

const approvalOf = ({ runId, approval, planDigest }: Migration) => ({
  action: 'approve-cutover',
  runId,
  approvalId: approval?.approvalId,
  planDigest,
  approvedBy: 'grace',
  confirms: { writesStopped: true, inventoryAccepted: true },
});

async function sweep(phase: 'start' | 'cutover', fault: Fault): Promise<{ calls: number; problems: string[] }> {
  const { machine } = world;
  const problems: string[] = [];
  for (let nth = 1; nth <= MOST_CALLS; nth++) {
    const { cluster, request } = world.seed(quick);
    const { plan } = await world.planned(request);
    const from = machine.faults.journal.length;
    const begin = { action: 'start', planDigest: plan.digest, requestedBy: 'ada' };
    let runId: string;
    if (phase === 'start') {
      machine.faults.plan([{ operation: '*', nth, fault }]);
      await insist(begin);
      machine.faults.plan([]);
      // A process that was killed after its last call may fall at the beginning of this one.
      const again = await world.start(plan.digest).catch(() => world.start(plan.digest));
      runId = again.runId;
    } else {
      runId = (await world.start(plan.digest)).runId;
      const ready = await world.until(runId, 'READY', { everyMs: 61_000 });
      machine.faults.plan([{ operation: '*', nth, fault }]);
      await insist(approvalOf(ready));
    }
    machine.faults.plan([]);
    await machine.faults.settle();
    const calls = machine.faults.journal.slice(from);
    const met = calls.find((entry) => entry.fault !== undefined);
    if (!met) return { calls: nth - 1, problems };

    const last = await untilEnded(runId);
    const here = (what: string): void => {
      problems.push(`call ${nth} (${met.operation}): ${what}`);
    };
    const sent = (operation: string): number =>
      machine.faults.journal.slice(from).filter((each) => each.operation === operation).length;
    if (sent(START) > 1) here(`${sent(START)} starts were sent`);
    if (sent(CUTOVER) > 1 && met.operation !== CUTOVER) here(`${sent(CUTOVER)} cutovers were sent`);
    if (!last || !ENDS.includes(last.state)) here(`it never ended: ${last?.state} ${last?.reason}`);
    if (last?.state === 'STARTED_UNIDENTIFIED' && met.operation !== START && fault.kind !== 'kill')
      here('its id was lost');
    const runs = machine.atlas.world.migrations.running(({ clusterId }) => clusterId === cluster.id);
    if (last?.state === 'FAILED' && runs.length > 0) here('it runs, and counts as failed');
    if (last?.state === 'COMPLETE' && sent(CUTOVER) !== 1) here('complete without a cutover of ours');
    if (last?.state === 'COMPLETE') {
      const record = await world.command({ action: 'verify-record', runId });
      if (record['whole'] !== true) here('its record is broken');
    }
    // What is left over does not get into the way of the next one.
    for (const run of runs) machine.atlas.world.migrations.cancel(run);
    if (last && last.state !== 'COMPLETE' && last.state !== 'FAILED')
      await insist({ action: 'abandon', runId, requestedBy: 'ada', reason: 'a test' });
  }
  throw new Error('it does not end');
}

describe.each(['start', 'cutover'] as const)('the %s of a live migration', (phase) => {
  it.each(Object.entries(faults))(
    'survives any one call %s',
    async (_, fault) => {
      const { calls, problems } = await sweep(phase, fault);
      expect(problems).toEqual([]);
      expect(calls).toBeGreaterThan(6);
    },
    600_000,
  );
});
