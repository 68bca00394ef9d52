/**
 * Every effect of a live migration's start and of its cutover, met by one fault, and every pair of them by two: the
 * process killed before and after, the answer lost, the effect carried out late. Whatever happened: one start at the
 * most, no cutover without an approval of its own, an end that is true, a whole record, and every event told.
 */
import { describe, expect, it } from 'vitest';
import type { Run } from '../../functions/start-live-migration/run.ts';
import { MIGRATION_STATE_CHANGED } from '../../lib/events/migration.ts';
import { createProcessWorld, type Effect, type FaultKind, type ProcessWorld } from '../support/migration-process.ts';

const START = 'createGroupLiveMigration';
const CUTOVER = 'cutoverGroupLiveMigration';
const KINDS: readonly FaultKind[] = ['killed before', 'killed after', 'lost', 'late'];
const quick = { newSeconds: 0, copySeconds: 60, cutoverSeconds: 30 };
type Phase = 'start' | 'cutover';

const begin = (planDigest: string) => ({ action: 'start', planDigest, requestedBy: 'ada' });
const approvalOf = ({ runId, asked, planDigest }: Run) => ({
  action: 'approve-cutover',
  runId,
  approvalId: asked?.approvalId ?? 'none',
  planDigest,
  approvedBy: 'grace',
  confirms: { writesStopped: true, inventoryAccepted: true },
});

/** As often as whoever gave the command would try it; what was late comes in between. */
async function insist(world: ProcessWorld, event: object): Promise<void> {
  for (let attempt = 0; attempt < 4; attempt++) {
    try {
      await world.command(event);
      return;
    } catch (error) {
      if (/not taken|not started/.test(String(error))) return;
    } finally {
      await world.settle();
    }
  }
}

const tick = async (world: ProcessWorld): Promise<void> => {
  await world.tick().catch(() => {});
  await world.settle();
};

/** Follows a migration to its end, jumping to whatever is due next, and doing what people would. */
async function toTheEnd(world: ProcessWorld): Promise<Run | undefined> {
  for (let step = 0; step < 60; step++) {
    const [run] = world.runs();
    if (!run || (run.state === 'FAILED' && !run.held) || (run.state === 'COMPLETE' && !run.held)) break;
    if (run.state === 'READY') await insist(world, approvalOf(run));
    if (run.state === 'CUT_OVER') await world.backUp();
    if (run.state === 'STARTED_UNIDENTIFIED') {
      const [there] = world.world.migrations.running(() => true);
      await insist(world, {
        action: 'identify',
        runId: run.runId,
        liveMigrationId: there?.id ?? '0'.repeat(24),
        identifiedBy: 'ada',
      });
    }
    if (run.state === 'CUTOVER_UNKNOWN' && run.warned.includes('cutover'))
      await insist(world, { action: 'reject-cutover', runId: run.runId, rejectedBy: 'grace', reason: 'none is seen' });
    const next = Date.parse(world.runs()[0]?.nextPollAt ?? '');
    world.clock.advance(Math.max(1_000, next - world.clock.now().getTime() + 1_000));
    await tick(world);
  }
  // The last word, and the tidying up.
  for (let more = 0; more < 3; more++) {
    world.clock.advance(301_000);
    await tick(world);
  }
  return world.runs()[0];
}

async function live(
  phase: Phase,
  faults: ReadonlyMap<number, FaultKind>,
): Promise<{ effects: Effect[]; problems: string[] }> {
  const world = await createProcessWorld();
  const { planned } = await world.seed('orders', quick);
  if (phase === 'start') {
    world.plan(faults);
    await insist(world, begin(planned));
  } else {
    await insist(world, begin(planned));
    for (let step = 0; step < 10 && world.runs()[0]?.state !== 'READY'; step++) {
      world.clock.advance(301_000);
      await tick(world);
    }
    world.plan(faults);
    const [run] = world.runs();
    if (run) await insist(world, approvalOf(run));
  }
  // What the command itself did; faults meet what comes after, too, while there are numbers left.
  const effects = world.effects.slice();
  const met = Math.max(-1, ...faults.keys());
  for (let step = 0; step < 3 && world.effects.length <= met; step++) await tick(world);
  world.plan(new Map());
  if (phase === 'start') await insist(world, begin(planned));
  const run = await toTheEnd(world);
  return { effects, problems: await problemsOf(world, run) };
}

async function problemsOf(world: ProcessWorld, run: Run | undefined): Promise<string[]> {
  const problems: string[] = [];
  const count = (operation: string): number => world.sent.filter((each) => each.operation === operation).length;
  if (count(START) > 1) problems.push(`${count(START)} starts were sent`);
  const approvals = world.sent.flatMap(({ operation, run: at }) => {
    if (operation !== CUTOVER) return [];
    const { approval, state } = at ?? {};
    if (state !== 'CUTOVER_INTENT' || approval?.by !== 'grace') problems.push(`a cutover was sent in ${state}`);
    return [approval?.approvalId];
  });
  if (new Set(approvals).size !== approvals.length) problems.push('two cutovers were sent for one approval');
  if (!run) return [...problems, 'there is no run'];
  const isOver = run.state === 'COMPLETE' || run.state === 'FAILED';
  if (!isOver) problems.push(`it never ended: ${run.state} (${run.reason})`);
  if (run.state === 'FAILED' && world.world.migrations.running(() => true).length > 0)
    problems.push('it runs, and counts as failed');
  const verified = await world.command({ action: 'verify-record', runId: run.runId });
  if (verified['whole'] !== true) problems.push('its record is broken');
  const lines = verified['entries'] as { facts: { state?: string } }[];
  const entered = lines.map(({ facts }) => facts.state).filter((state, nth, all) => nth > 0 && state !== all[nth - 1]);
  const told = world.events.flatMap(({ detailType, detail }) =>
    detailType === MIGRATION_STATE_CHANGED ? [detail['to']] : [],
  );
  for (const state of entered) if (!told.includes(state)) problems.push(`nobody was told of ${state}`);
  const left = world.memory.snapshot().filter(({ pk }) => /^migration-(active|destination|host|under-way)$/.test(pk));
  if (left.length > 0) problems.push(`left over: ${left.map(({ pk }) => pk).join(', ')}`);
  return problems;
}

/** What can happen to an effect; what only reads differs in nothing but whether it is answered. */
const faultsOf = ({ writes }: Effect): readonly FaultKind[] => (writes ? KINDS : ['lost']);

describe.each<Phase>(['start', 'cutover'])('the %s of a live migration', (phase) => {
  it('survives a fault at any one effect, and at any two', async () => {
    const found: string[] = [];
    const { effects, problems } = await live(phase, new Map());
    expect(problems).toEqual([]);
    expect(effects.some(({ name }) => name === (phase === 'start' ? START : CUTOVER))).toBe(true);
    let tried = 0;
    for (const first of effects) {
      for (const kind of faultsOf(first)) {
        const one = await live(phase, new Map([[first.nth, kind]]));
        tried++;
        found.push(...one.problems.map((problem) => `${first.nth} ${first.name} ${kind}: ${problem}`));
        for (const second of one.effects.slice(first.nth + 1)) {
          for (const then of faultsOf(second)) {
            tried++;
            const faults = new Map([
              [first.nth, kind],
              [second.nth, then],
            ]);
            const two = await live(phase, faults);
            found.push(
              ...two.problems.map(
                (problem) => `${first.nth} ${first.name} ${kind}, ${second.nth} ${second.name} ${then}: ${problem}`,
              ),
            );
          }
        }
      }
      if (found.length > 20) break;
    }
    expect(found).toEqual([]);
    expect(tried).toBeGreaterThan(1_000);
  }, 600_000);
});
