/**
 * One fault at every call of a live migration's start and of its cutover, in turn: the process killed before and after,
 * the answer lost, the call carried out late, refused, failing. Whatever happened: at most one start and one cutover are
 * ever sent, no cutover without an approval, and the migration comes to an end once nothing goes wrong any more.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Fault } from '../../infra/local/faults.ts';
import { type Migration, type MigrationWorld, startMigrationWorld } from './migration-world.ts';

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

let world: MigrationWorld;

const quick = { copySeconds: 60, newSeconds: 10, cutoverSeconds: 30, validationSeconds: 30 };

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

/** Jumps to whatever is due next until it ends, approving whatever is asked for. */
async function untilEnded(runId: string): Promise<Migration | undefined> {
  let last: Migration | undefined;
  for (let tick = 0; tick < 30; tick++) {
    const untilDue = Date.parse(last?.nextPollAt ?? '') - world.machine.clock.now().getTime();
    world.machine.clock.advance(last?.state === 'CUT_OVER' ? 4 * 3_600_000 : Math.max(31_000, untilDue || 0));
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

/** A migration with its start still to be sent, or its cutover. */
async function upTo(phase: 'start' | 'cutover') {
  const { cluster, request } = world.seed(quick);
  const { plan } = await world.planned(request);
  if (phase === 'start')
    return { cluster, plan, event: { action: 'start', planDigest: plan.digest, requestedBy: 'ada' } };
  const { runId } = await world.start(plan.digest);
  return { cluster, plan, event: approvalOf(await world.until(runId, 'READY', { everyMs: 301_000 })) };
}

const isAwsRead = (operation: string): boolean => /^(GetItem|Query|GetSecretValue|DescribeSecret)$/.test(operation);
const isRead = (operation: string): boolean => isAwsRead(operation) || /^(get|list|mint)/.test(operation);

/**
 * The calls worth a fault: a process that dies around a read, or misses its answer, is one that died a step earlier; and
 * what AWS turns away, its own client asks for again.
 */
async function callsOf(phase: 'start' | 'cutover', fault: Fault): Promise<number[]> {
  const { machine } = world;
  const { event } = await upTo(phase);
  const from = machine.faults.journal.length;
  await world.command(event);
  return machine.faults.journal
    .slice(from)
    .flatMap(({ operation }, at) =>
      (fault.kind === 'refuse' ? isAwsRead(operation) : isRead(operation)) ? [] : [at + 1],
    );
}

async function sweep(phase: 'start' | 'cutover', fault: Fault): Promise<{ calls: number; problems: string[] }> {
  const { machine } = world;
  const problems: string[] = [];
  const worth = await callsOf(phase, fault);
  for (const nth of worth) {
    const { cluster, plan, event } = await upTo(phase);
    const from = machine.faults.journal.length;
    machine.faults.plan([{ operation: '*', nth, fault }]);
    await insist(event);
    machine.faults.plan([]);
    // A process that was killed after its last call may fall at the beginning of this one.
    const again = await world.start(plan.digest).catch(() => world.start(plan.digest));
    const { runId } = again;
    await machine.faults.settle();
    const met = machine.faults.journal.slice(from).find((entry) => entry.fault !== undefined);
    if (!met) continue;

    const last = await untilEnded(runId);
    const here = (what: string): void => {
      problems.push(`call ${nth} (${met.operation}): ${what}`);
    };
    // What Atlas turned away with 429 was not carried out, and is the one thing that is sent again.
    const sent = (operation: string): number =>
      machine.faults.journal
        .slice(from)
        .filter((each) => each.operation === operation && !(each.fault === 'refuse' && each.status === 429)).length;
    if (sent(START) > 1) here(`${sent(START)} starts were sent`);
    if (sent(CUTOVER) > 1) here(`${sent(CUTOVER)} cutovers were sent`);
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
      await insist({ action: 'abandon', runId, requestedBy: 'ada', reason: 'a test', cancelledInAtlas: true });
  }
  return { calls: worth.length, problems };
}

/** One suite for each phase, in files of their own: they need nothing of each other, and run side by side. */
export function sweepMigration(phase: 'start' | 'cutover'): void {
  beforeAll(async () => {
    world = await startMigrationWorld({ migration: { lagGatePolls: 2 } });
  });
  afterAll(() => world[Symbol.asyncDispose]());

  it.each(Object.entries(faults))(
    `the ${phase} of a live migration survives any one call %s`,
    async (_, fault) => {
      const { calls, problems } = await sweep(phase, fault);
      expect(problems).toEqual([]);
      expect(calls).toBeGreaterThan(4);
    },
    600_000,
  );
}
