/** Both functions in one process, over the sandbox and a state in memory: what is hard to time from outside. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WatchEvent } from '../../../functions/start-live-migration/contract.ts';
import type { Run } from '../../../functions/start-live-migration/run.ts';
import { answersUntil } from '../../support/migration-answers.ts';
import { createProcessWorld, type ProcessWorld } from '../../support/migration-process.ts';
import { assertProperty } from '../../support/properties.ts';

const START = 'createGroupLiveMigration';
const CUTOVER = 'cutoverGroupLiveMigration';
const quick = { newSeconds: 0, copySeconds: 60, cutoverSeconds: 30 };
const begin = (planDigest: string, over: object = {}) => ({ action: 'start', planDigest, requestedBy: 'bob', ...over });
const approvalOf = ({ runId, asked, planDigest }: Run, approvedBy = 'grace') => ({
  action: 'approve-cutover',
  runId,
  approvalId: asked?.approvalId ?? 'none',
  planDigest,
  approvedBy,
  confirms: { writesStopped: true, inventoryAccepted: true },
});
const only = (world: ProcessWorld): Run => {
  const [run] = world.runs();
  if (!run) throw new Error('there is no run');
  return run;
};
const tickAfter = async (world: ProcessWorld, ms: number): Promise<Run> => {
  world.clock.advance(ms);
  await world.tick();
  return only(world);
};
async function readyOne(): Promise<ProcessWorld> {
  const world = await createProcessWorld();
  const { planned } = await world.seed('orders', quick);
  await world.command(begin(planned));
  for (let look = 0; look < 6 && only(world).state !== 'READY'; look++) await tickAfter(world, 301_000);
  return world;
}
const taken = (world: ProcessWorld): string[] =>
  world.memory
    .snapshot()
    .map(({ pk }) => pk)
    .filter((pk) => /^migration-(active|destination|host|under-way)$/.test(pk));

describe('a start', () => {
  it('that dies before its run is stored leaves nothing taken for long', async () => {
    const rehearsal = await createProcessWorld();
    await rehearsal.command(begin((await rehearsal.seed('orders', quick)).planned));
    const nth = rehearsal.effects.findIndex(({ name }) => name === 'create migration');
    const world = await createProcessWorld();
    const { planned } = await world.seed('orders', quick);
    world.plan(new Map([[nth, 'killed before']]));
    await expect(world.command(begin(planned))).rejects.toThrow();
    expect(world.effects.at(-1)?.name).toBe('create migration');
    world.plan(new Map());
    expect(taken(world)).toHaveLength(4);
    await world.tick();
    expect(taken(world)).toHaveLength(4);
    world.clock.advance(10 * 60_000);
    await world.tick();
    expect(taken(world)).toEqual([]);
    expect(world.runs()).toEqual([]);
  });

  it('keeps the id Atlas answered with, though the run was taken up as lost meanwhile', async () => {
    let isSlow = true;
    const world: ProcessWorld = await createProcessWorld({
      async around(apply, name) {
        const answer = await apply();
        if (name === START && isSlow) {
          isSlow = false;
          world.clock.advance(20 * 60_000);
          await world.tick();
          expect(only(world).state).toBe('STARTED_UNIDENTIFIED');
        }
        return answer;
      },
    });
    const { planned } = await world.seed('orders', { ...quick, copySeconds: 7_200 });
    await world.command(begin(planned));
    expect(only(world)).toMatchObject({ state: 'SYNCING', liveMigrationId: expect.any(String) });
    expect((await tickAfter(world, 301_000)).polls).toHaveLength(1);
    expect(world.sent).toHaveLength(1);
  });

  it('is refused for a plan that is not what it was', async () => {
    const world = await createProcessWorld();
    const { planned } = await world.seed('orders', quick);
    const key = { pk: 'migration-plan', sk: planned };
    const { value } = world.memory.snapshot().find(({ pk }) => pk === 'migration-plan') as { value: object };
    const { Plan } = await import('../../../functions/start-live-migration/plan.ts');
    const stored = await world.memory.read(key, Plan, world.context.deadline);
    if (stored) await world.memory.replace(stored, { ...value, requestedBy: 'mallory' }, world.context.deadline);
    await expect(world.command(begin(planned))).rejects.toThrow('not what it was');
    expect(world.sent).toEqual([]);
  });

  it('of a drop records who agreed, and the snapshot to come back to', async () => {
    const world = await createProcessWorld();
    const { request } = await world.seed('orders', { ...quick, validationSeconds: 0 });
    const plan = async () =>
      (await world.command({
        action: 'plan',
        request: { ...request, dropDestinationData: true },
        requestedBy: 'ada',
        ...answersUntil(new Date(world.clock.now().getTime() + 86_400_000)),
      })) as { plan: { digest: string; snapshot?: { id: string } }; standsAgainst: unknown[] };
    await plan();
    const { plan: made, standsAgainst } = await plan();
    expect(standsAgainst).toEqual([]);
    await world.command(begin(made.digest, { drop: { clusterName: 'orders', approvedBy: 'grace' } }));
    expect(only(world).drop).toEqual({ approvedBy: 'grace', snapshotId: made.snapshot?.id });
  });
});

it('M12 takes an approval from neither who planned it nor who started it, however they write themselves', async () => {
  const world = await readyOne();
  for (const name of ['ada', ' A d\u200ba', 'ＢＯＢ', 'Bob '])
    await expect(world.command(approvalOf(only(world), name))).rejects.toThrow('cannot approve');
  await world.command(approvalOf(only(world)));
  expect(only(world).state).toBe('CUTTING_OVER');
  const { events } = await world.command({ action: 'status', runId: only(world).runId });
  expect(events).toMatchObject([{ type: 'CLUSTER_IMPORT_CUTOVER' }, { type: 'CLUSTER_IMPORT_STARTED' }]);
});

it('M23 says that no project is linked to the organization', async () => {
  const world = await createProcessWorld();
  const { request } = await world.seed('orders');
  world.world.migrations.links.clear();
  const { plan } = (await world.command({ action: 'plan', request, requestedBy: 'ada', dryRun: true })) as {
    plan: { checks: { id: string; outcome: string; remedy: string }[] };
  };
  expect(plan.checks.find(({ id }) => id === 'organization-linked')).toMatchObject({
    outcome: 'FAIL',
    remedy: expect.stringContaining('Ops Manager in local mode'),
  });
});

it('calls somebody for a cutover that takes too long, and for a destination nobody backs up', async () => {
  const world = await createProcessWorld();
  const { planned, cluster } = await world.seed('orders', { ...quick, cutoverSeconds: 3_600 });
  cluster.backupEnabled = false;
  await world.command(begin(planned));
  for (let look = 0; look < 6 && only(world).state !== 'READY'; look++) await tickAfter(world, 301_000);
  await world.command(approvalOf(only(world)));
  for (let look = 0; look < 12; look++) await tickAfter(world, 61_000);
  const whats = () =>
    world.events.flatMap(({ detail }) => (typeof detail['what'] === 'string' ? [detail['what']] : []));
  expect(whats().filter((what) => what === 'cutover-unknown')).toHaveLength(1);
  await tickAfter(world, 3_600_000);
  expect(only(world).state).toBe('CUT_OVER');
  for (let look = 0; look < 30; look++) await tickAfter(world, 3_600_000);
  expect(only(world).state).toBe('CUT_OVER');
  expect(whats().filter((what) => what === 'first-snapshot')).toHaveLength(1);
});

it('lists migrations a part at a time, and those that run alone', async () => {
  const world = await createProcessWorld();
  for (const name of ['a', 'b', 'c']) await world.command(begin((await world.seed(name, quick)).planned));
  type Listed = { migrations: { runId: string }[]; next?: string };
  const list = (over: object) => world.command({ action: 'status', ...over }) as unknown as Promise<Listed>;
  const first = await list({ limit: 2 });
  const rest = await list({ limit: 2, after: first.next });
  expect([first.migrations.length, rest.migrations.length, rest.next]).toEqual([2, 1, undefined]);
  const [one] = world.runs();
  await world.command({
    action: 'abandon',
    runId: one?.runId,
    requestedBy: 'eve',
    reason: 'x',
    cancelledInAtlas: true,
  });
  await tickAfter(world, 1_000);
  expect((await list({})).migrations).toHaveLength(3);
  expect((await list({ ended: false })).migrations.map(({ runId }) => runId)).not.toContain(one?.runId);
});

it('waits within a tick of the schedule for what falls due before the next one, and by hand for nothing', async () => {
  const world = await readyOne();
  const tick = { source: 'aws.events', 'detail-type': 'Scheduled Event', time: world.clock.now().toISOString() };
  expect(WatchEvent.parse(tick)).toMatchObject({ waits: true, at: world.clock.now() });
  expect(WatchEvent.parse({})).toMatchObject({ waits: false, at: undefined });
  const before = world.clock.now().getTime();
  const looks = only(world).polls.length;
  world.clock.advance(30_000);
  await world.tick({ waits: true });
  expect(only(world).polls.length).toBe(looks + 1);
  expect(world.clock.now().getTime() - before).toBeGreaterThanOrEqual(60_000);
  expect(world.clock.now().getTime() - before).toBeLessThan(66_000);
});

it('thins out a long course, and keeps its ends', async () => {
  const world = await createProcessWorld();
  const { planned } = await world.seed('orders', { ...quick, copySeconds: 5 * 86_400 });
  await world.command(begin(planned));
  const started = only(world).startedAt ?? '';
  for (let look = 0; look < 600; look++) await tickAfter(world, 301_000);
  const { polls } = only(world);
  expect(polls.length).toBeLessThanOrEqual(240);
  expect(polls.length).toBeGreaterThan(100);
  expect(Date.parse(polls[0]?.at ?? '') - Date.parse(started)).toBeLessThan(600_000);
});

/** What may happen, in any order: time, looks, words of people, clicks in Atlas's user interface, and faults. */
const happening = fc.oneof(
  fc.record({ kind: fc.constant('time' as const), seconds: fc.constantFrom(5, 61, 301, 3_700, 90_000) }),
  fc.record({ kind: fc.constant('look' as const) }),
  fc.record({ kind: fc.constant('look' as const) }),
  fc.record({ kind: fc.constant('start' as const) }),
  fc.record({ kind: fc.constant('approve' as const), by: fc.constantFrom('grace', 'ada', 'BOB'), stale: fc.boolean() }),
  fc.record({ kind: fc.constant('approve' as const), by: fc.constant('grace'), stale: fc.constant(false) }),
  fc.record({ kind: fc.constant('reject' as const) }),
  fc.record({ kind: fc.constant('extend' as const) }),
  fc.record({ kind: fc.constant('click' as const), what: fc.constantFrom('cancel', 'cut over', 'extend') }),
  fc.record({
    kind: fc.constant('fault' as const),
    nth: fc.nat(12),
    fault: fc.constantFrom('killed before' as const, 'killed after' as const, 'lost' as const, 'late' as const),
  }),
);

it('never cuts over but by a recorded approval, whatever happens in whatever order', async () => {
  await assertProperty(
    fc.asyncProperty(fc.array(happening, { minLength: 5, maxLength: 40 }), async (happenings) => {
      const world = await createProcessWorld();
      const { planned } = await world.seed('orders', quick);
      await world.command(begin(planned));
      for (const each of happenings) {
        const [run] = world.runs();
        const ours = world.world.migrations.find(run?.liveMigrationId ?? '');
        const quietly = (work: Promise<unknown>) => work.catch(() => {}).then(() => world.settle());
        if (each.kind === 'time') world.clock.advance(each.seconds * 1_000);
        if (each.kind === 'look') await quietly(world.tick());
        if (each.kind === 'start') await quietly(world.command(begin(planned)));
        if (each.kind === 'fault') world.plan(new Map([[each.nth, each.fault]]));
        if (each.kind === 'approve' && run)
          await quietly(world.command({ ...approvalOf(run, each.by), ...(each.stale && { approvalId: 'stale' }) }));
        if (each.kind === 'reject' && run)
          await quietly(world.command({ action: 'reject-cutover', runId: run.runId, rejectedBy: 'eve', reason: 'no' }));
        if (each.kind === 'extend' && run) {
          const until = new Date(world.clock.now().getTime() + 300 * 3_600_000).toISOString();
          const record = { action: 'record-extension', runId: run.runId, recordedBy: 'eve', until, note: 'clicked' };
          await quietly(world.command(record));
        }
        if (each.kind === 'click' && ours && !world.world.migrations.courseOf(ours).endedAt) {
          if (each.what === 'cancel') world.world.migrations.cancel(ours);
          if (each.what === 'extend') world.world.migrations.extend(ours, 48);
          if (each.what === 'cut over' && world.world.migrations.courseOf(ours).readyForCutover)
            world.world.migrations.cutOver(ours);
        }
      }
      world.plan(new Map());
      const run = only(world);
      expect(world.sent.filter(({ operation }) => operation === START).length).toBeLessThanOrEqual(1);
      const spent = world.sent.flatMap(({ operation, run: at }) => (operation === CUTOVER ? [at] : []));
      for (const at of spent) expect([at?.state, at?.approval?.by]).toEqual(['CUTOVER_INTENT', 'grace']);
      expect(new Set(spent.map((at) => at?.approval?.approvalId)).size).toBe(spent.length);
      const record = (await world.command({ action: 'verify-record', runId: run.runId })) as {
        whole: boolean;
        entries: { what: string; facts: { approvalId?: string } }[];
      };
      expect(record.whole).toBe(true);
      const approved = record.entries.flatMap(({ what, facts }) =>
        what === 'approved the cutover' ? [facts.approvalId] : [],
      );
      for (const at of spent) expect(approved).toContain(at?.approval?.approvalId);
      if (run.state === 'CUT_OVER' || run.state === 'COMPLETE') {
        const ours = world.world.migrations.find(run.liveMigrationId ?? '');
        expect(ours?.cutoverAt).toBeDefined();
        if (run.cutover?.by === 'us') expect(spent.length).toBeGreaterThan(0);
      }
    }),
    { numRuns: 200 },
  );
}, 120_000);
