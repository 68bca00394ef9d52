/** The hard scenarios of a live migration, each by its number, through the built bundles over the sandbox. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createState } from '../../lib/aws/state.ts';
import { MIGRATION_NEEDS_PERSON, MIGRATION_STATE_CHANGED } from '../../lib/events/migration.ts';
import { freshestSnapshotKey, MigrationUnderWay, migrationKey } from '../../lib/migrations-under-way.ts';
import { systemClock } from '../../lib/runtime/clock.ts';
import { deadlineIn } from '../../lib/runtime/deadline.ts';
import { type Migration, type MigrationWorld, startMigrationWorld } from '../support/migration-world.ts';

const START = 'createGroupLiveMigration';
const CUTOVER = 'cutoverGroupLiveMigration';
const HOUR = 3_600_000;
const quick = { copySeconds: 600, newSeconds: 10, cutoverSeconds: 60 };

let world: MigrationWorld;
beforeAll(async () => {
  world = await startMigrationWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

let from = 0;
beforeEach(() => {
  world.machine.faults.plan([]);
  from = world.machine.faults.journal.length;
});
const sent = (operation: string): number =>
  world.machine.faults.journal.slice(from).filter((call) => call.operation === operation).length;
const told = (runId: string, detailType: string) =>
  world.machine.aws.events.entries.filter(
    (event) => event['detail-type'] === detailType && event.detail['runId'] === runId,
  );
const calls = (runId: string) => told(runId, MIGRATION_NEEDS_PERSON).map(({ detail }) => detail['what']);
const migrationOf = (id: string | null) => {
  const found = world.machine.atlas.world.migrations.find(id ?? '');
  if (!found) throw new Error(`the sandbox has no migration ${id}`);
  return found;
};
const begun = async (course: object = quick) => {
  const { cluster, request } = world.seed(course);
  const { plan } = await world.planned(request);
  const migration = await world.start(plan.digest);
  return { cluster, request, plan, migration, runId: migration.runId };
};
const readyOne = async (course: object = quick) => {
  const one = await begun(course);
  return { ...one, ready: await world.until(one.runId, 'READY', { everyMs: 61_000 }) };
};
const approvalOf = (ready: Migration, over: object = {}) => ({
  action: 'approve-cutover',
  runId: ready.runId,
  approvalId: ready.approval?.approvalId,
  planDigest: ready.planDigest,
  approvedBy: 'grace',
  confirms: { writesStopped: true, inventoryAccepted: true },
  ...over,
});
const outcomeOf = (plan: { checks: { id: string; outcome: string }[] }, id: string) =>
  plan.checks.find((check) => check.id === id)?.outcome;
const state = () => createState(world.machine.stateTable, world.machine.sdk);
const soon = () => deadlineIn(10_000, systemClock);

describe('starting', () => {
  it('M1 finds a start whose answer was lost by its event, and never sends it again', async () => {
    const { request } = world.seed(quick);
    const { plan } = await world.planned(request);
    world.machine.faults.plan([{ operation: START, nth: 1, fault: { kind: 'lost' } }]);
    expect(await world.start(plan.digest)).toMatchObject({ state: 'START_UNKNOWN' });
    expect(await world.start(plan.digest)).toMatchObject({ state: 'START_UNKNOWN' });
    const lost = await world.until((await world.start(plan.digest)).runId, 'STARTED_UNIDENTIFIED');
    expect(sent(START)).toBe(1);
    expect(calls(lost.runId)).toContain('start-unknown');
    const [running] = world.machine.atlas.world.migrations.running(
      ({ clusterName }) => clusterName === request.destination.clusterName,
    );
    const found = await world.command({
      action: 'identify',
      runId: lost.runId,
      liveMigrationId: running?.id,
      identifiedBy: 'ada',
    });
    expect(found['migration']).toMatchObject({ liveMigrationId: running?.id });
  });

  it('M2 sends one start for the same request delivered many times at once', async () => {
    const { request } = world.seed(quick);
    const { plan } = await world.planned(request);
    const event = { action: 'start', planDigest: plan.digest, requestedBy: 'ada' };
    const containers = Array.from({ length: 4 }, () => world.machine.container('command-live-migration'));
    const answers = await Promise.all(containers.map((each) => each.invoke(event)));
    expect(new Set(answers.map((answer) => (answer as { migration: Migration }).migration.runId)).size).toBe(1);
    expect(sent(START)).toBe(1);
  });

  it('M3 refuses another source for a destination that is taken', async () => {
    const one = await begun();
    const other = world.seed(quick);
    const request = { ...other.request, destination: one.request.destination };
    const { plan, canStart } = await world.planned(request);
    expect(canStart).toBe(false);
    expect(outcomeOf(plan, 'no-other-migration')).toBe('FAIL');
    await expect(world.start(plan.digest)).rejects.toThrow('No other migration goes into the destination');
    expect(sent(START)).toBe(1);
  });

  it('M4 takes a changed request for another one, with a validation of its own', async () => {
    const { request } = world.seed(quick);
    const before = await world.planned(request);
    const after = await world.plan({ ...request, dropDestinationData: true });
    expect(outcomeOf(before.plan, 'validated')).toBe('PASS');
    expect(outcomeOf(after.plan, 'validated')).toBe('PENDING');
    await expect(world.start(after.plan.digest)).rejects.toThrow('its validation is PENDING');
    expect(sent(START)).toBe(0);
  });

  it('M5 times out a validation without an answer, and never takes it for a success', async () => {
    const { request } = world.seed({ ...quick, validationSeconds: 100_000 });
    const { plan } = await world.planned(request);
    expect(outcomeOf(plan, 'validated')).toBe('PENDING');
    await expect(world.start(plan.digest)).rejects.toThrow('its validation is PENDING');
    world.machine.clock.advance(31 * 60_000);
    const dry = await world.plan(request, { dryRun: true });
    expect(dry.plan.checks.find(({ id }) => id === 'validated')).toMatchObject({
      outcome: 'FAIL',
      evidence: expect.stringContaining('no answer in time'),
    });
  });

  it('M6 drops data only for a name typed again, a second person and a fresh snapshot', async () => {
    const { cluster, request } = world.seed(quick);
    const { plan } = await world.planned({ ...request, dropDestinationData: true });
    const drop = { clusterName: cluster.name, approvedBy: 'grace' };
    await expect(world.start(plan.digest)).rejects.toThrow('typed again');
    await expect(world.start(plan.digest, { drop: { ...drop, clusterName: 'orders' } })).rejects.toThrow('typed again');
    await expect(world.start(plan.digest, { drop: { ...drop, approvedBy: 'Ada' } })).rejects.toThrow('somebody else');
    expect(sent(START)).toBe(0);
    expect(await world.start(plan.digest, { drop })).toMatchObject({ state: 'SYNCING' });
    expect(
      world.machine.atlas.world.migrations.running(({ clusterId }) => clusterId === cluster.id)[0]?.dropsDestination,
    ).toBe(true);
  });

  it('M18 sends a password as it is, and shows it nowhere', async () => {
    const printed: string[] = [];
    await using own = await startMigrationWorld({ onOutput: (text) => printed.push(text) });
    const password = 'a$b"c\\d\n€ `x`';
    await own.machine.putSecret('migration/source', { username: 'mover', password });
    const { request } = own.seed(quick);
    const withUser = {
      ...request,
      source: { ...request.source, managedAuthentication: false, credentialsSecret: 'migration/source' },
    };
    const { plan, canStart } = await own.planned(withUser);
    expect(canStart).toBe(true);
    await own.start(plan.digest);
    const everything = JSON.stringify([plan, own.machine.aws.events.entries, printed]);
    expect(everything).not.toContain('a$b');
    expect(everything).not.toContain('mover');
  });

  it('M20 gives a migration host to one migration at a time', async () => {
    const one = await begun();
    const other = world.seed(quick);
    const { plan } = await world.plan({ ...other.request, migrationHost: one.request.migrationHost });
    expect(outcomeOf(plan, 'migration-host-free')).toBe('FAIL');
  });

  it('M22 refuses a private link to a destination in several regions', async () => {
    const { request } = world.seed(quick);
    const cluster = world.machine.atlas.world.clusters.add(world.project, {
      name: 'spread',
      regions: [
        { provider: 'AWS', name: 'US_EAST_1' },
        { provider: 'GCP', name: 'CENTRAL_US' },
      ],
    });
    const destination = {
      groupId: world.project.id,
      clusterName: cluster.name,
      hostnameSchemaType: 'PRIVATE_LINK',
      privateLinkId: 'pl-1',
    };
    const { plan } = await world.plan({ ...request, destination }, { dryRun: true });
    expect(outcomeOf(plan, 'network')).toBe('FAIL');
  });

  it('M23 says why nothing can be migrated from an organization that is not linked', async () => {
    const org = world.machine.atlas.world.addOrg({ name: 'unlinked' });
    void org;
    const { request } = world.seed(quick);
    const { plan } = await world.plan(
      { ...request, source: { ...request.source, groupId: 'f'.repeat(24) } },
      { dryRun: true },
    );
    expect(plan.checks.find(({ id }) => id === 'source-listed')).toMatchObject({ outcome: 'FAIL' });
  });

  it('M24 starts nothing from a source with time-series collections unless somebody looked', async () => {
    const { request } = world.seed(quick);
    const { plan, canStart } = await world.planned(request, { attestations: [] });
    expect(canStart).toBe(false);
    expect(outcomeOf(plan, 'time-series')).toBe('UNKNOWN');
  });
});

describe('following', () => {
  it('M7 asks for a cutover with a lag that never comes to nothing', async () => {
    const { ready } = await readyOne({ ...quick, leastLagSeconds: 7 });
    expect(ready).toMatchObject({ lagSeconds: 7, state: 'READY' });
  });

  it('M8 takes back what it asked for when the readiness goes', async () => {
    const { runId, ready } = await readyOne({ ...quick, unready: [{ fromSeconds: 1000, toSeconds: 1200 }] });
    const first = ready.approval?.approvalId;
    const synced = await world.until(runId, 'SYNCING', { everyMs: 61_000 });
    expect(synced.approval).toBeNull();
    await expect(world.command(approvalOf(ready))).rejects.toThrow('no approval is asked for');
    const again = await world.until(runId, 'READY', { everyMs: 61_000 });
    expect(again.approval?.approvalId).not.toBe(first);
    expect(again.deadline).toEqual(ready.deadline);
    expect(sent(CUTOVER)).toBe(0);
  });

  it('M9 tells between which instants Atlas gives up, when nobody looked in between', async () => {
    const { runId, migration } = await begun(quick);
    world.machine.clock.advance(300_000);
    await world.tick();
    world.machine.clock.advance(5 * HOUR);
    const [late] = (await world.tick()).filter((each) => each.runId === runId);
    const between = Date.parse(late?.deadline?.latest ?? '') - Date.parse(late?.deadline?.earliest ?? '');
    expect(between).toBeGreaterThan(4.9 * HOUR);
    expect(migration.deadline).toBeNull();
  });

  it('M10 believes a recorded extension once the migration has outlived its deadline', async () => {
    const { runId, ready } = await readyOne();
    const until = new Date(Date.parse(ready.deadline?.latest ?? '') + 48 * HOUR).toISOString();
    world.machine.atlas.world.migrations.extend(migrationOf(ready.liveMigrationId), 48);
    await world.command({ action: 'record-extension', runId, recordedBy: 'ada', until, note: 'clicked it' });
    world.machine.clock.advance(
      Date.parse(ready.deadline?.latest ?? '') - world.machine.clock.now().getTime() + 60_000,
    );
    const outlived = (await world.tick()).find((each) => each.runId === runId);
    expect(outlived?.deadline?.earliest).toBe(until);
    expect(['SYNCING', 'READY']).toContain(outlived?.state);
  });

  it('M19 does not take an id Atlas does not know just now for a failure', async () => {
    const { runId } = await begun(quick);
    world.machine.faults.plan(
      [1, 2].map((nth) => ({
        operation: 'getGroupLiveMigration',
        nth,
        fault: { kind: 'refuse', status: 404 } as const,
      })),
    );
    world.machine.clock.advance(300_000);
    await world.tick();
    world.machine.clock.advance(300_000);
    await world.tick();
    world.machine.faults.plan([]);
    await world.until(runId, 'READY', { everyMs: 61_000 });
  });

  it('M27 tells an expired migration from a good one, and says where its data stops', async () => {
    const { runId } = await readyOne();
    const expired = await world.until(runId, 'EXPIRED', { everyMs: 8 * HOUR });
    expect(expired.reason).toContain('data stops at');
    expect(calls(runId)).toEqual(expect.arrayContaining(['deadline', 'ended']));
    expect(await world.tick()).not.toContainEqual(expect.objectContaining({ runId }));
  });

  it('M28 goes on from the state alone, in another process, after any pause', async () => {
    const { runId } = await begun(quick);
    world.machine.clock.advance(3 * HOUR);
    const event = { at: world.machine.clock.now().toISOString() };
    await world.machine.container('watch-live-migrations').invoke(event);
    await world.until(runId, 'READY', { everyMs: 61_000 });
  });

  it('tells the auditor that the destination is being migrated into, and when that is over', async () => {
    const { runId, request, ready } = await readyOne();
    const key = migrationKey(request.destination.groupId, request.destination.clusterName);
    expect((await state().read(key, MigrationUnderWay, soon()))?.value.migrationId).toBe(runId);
    await world.command(approvalOf(ready));
    await world.until(runId, 'CUT_OVER', { everyMs: 61_000 });
    expect(await state().read(key, MigrationUnderWay, soon())).toBeUndefined();
  });
});

describe('cutting over', () => {
  it('M11 refuses an approval that comes shortly before the end, or after it', async () => {
    const { runId, ready } = await readyOne();
    world.machine.clock.advance(
      Date.parse(ready.deadline?.earliest ?? '') - world.machine.clock.now().getTime() - 60_000,
    );
    await expect(world.command(approvalOf(ready))).rejects.toThrow('not taken');
    await world.until(runId, 'EXPIRED', { everyMs: 8 * HOUR });
    await expect(world.command(approvalOf(ready))).rejects.toThrow('EXPIRED');
    expect(sent(CUTOVER)).toBe(0);
  });

  it('M12 refuses an approval of one’s own, for another migration, or given twice', async () => {
    const { runId, ready } = await readyOne();
    const other = await readyOne();
    await expect(world.command(approvalOf(ready, { approvedBy: 'ADA' }))).rejects.toThrow('cannot approve');
    await expect(world.command(approvalOf(ready, { runId: other.runId }))).rejects.toThrow('not taken');
    const twice = await Promise.allSettled(
      [1, 2].map(() => world.machine.container('command-live-migration').invoke(approvalOf(ready))),
    );
    expect(twice.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(sent(CUTOVER)).toBe(1);
    const record = await world.command({ action: 'verify-record', runId });
    expect(record).toMatchObject({ whole: true });
    expect(JSON.stringify(record)).toContain('refused an approval');
  });

  it('M13 sees that somebody else cut it over', async () => {
    const { runId, ready } = await readyOne();
    world.machine.atlas.world.migrations.cutOver(migrationOf(ready.liveMigrationId));
    await expect(world.command(approvalOf(ready))).resolves.toMatchObject({
      migration: { state: expect.not.stringMatching('CUTTING_OVER|COMPLETE') },
    });
    const over = await world.until(runId, 'CUT_OVER', { everyMs: 61_000 });
    expect(over).toMatchObject({ cutover: { by: 'somebody else' } });
    expect(sent(CUTOVER)).toBe(0);
  });

  it.each(['lost', 'late'] as const)(
    'M14 sends a cutover whose answer is %s once, and asks Atlas instead',
    async (kind) => {
      const { runId, ready } = await readyOne();
      const fault = kind === 'lost' ? { kind } : { kind, ms: 60_000 };
      world.machine.faults.plan([{ operation: CUTOVER, nth: 1, fault }]);
      await expect(world.command(approvalOf(ready))).resolves.toMatchObject({
        migration: { state: 'CUTOVER_UNKNOWN' },
      });
      await world.machine.faults.settle();
      await world.until(runId, 'CUT_OVER', { everyMs: 61_000 });
      expect(sent(CUTOVER)).toBe(1);
    },
  );

  it('M14 calls a person for a cutover that was never carried out, and sends none by itself', async () => {
    const { runId, ready } = await readyOne();
    world.machine.faults.plan([{ operation: CUTOVER, nth: 1, fault: { kind: 'refuse', status: 503 } }]);
    await expect(world.command(approvalOf(ready))).resolves.toMatchObject({ migration: { state: 'CUTOVER_UNKNOWN' } });
    for (let minute = 0; minute < 40; minute++) {
      world.machine.clock.advance(61_000);
      await world.tick();
    }
    expect(calls(runId)).toContain('cutover-unknown');
    expect(sent(CUTOVER)).toBe(1);
    await world.command({
      action: 'reject-cutover',
      runId,
      rejectedBy: 'grace',
      reason: 'the user interface shows none',
    });
    const again = await world.until(runId, 'READY', { everyMs: 61_000 });
    await world.command(approvalOf(again));
    await world.until(runId, 'CUT_OVER', { everyMs: 61_000 });
  });

  it('M25 lists what was not migrated, and takes an approval only with it accepted', async () => {
    const { ready } = await readyOne();
    expect(ready).toMatchObject({ notMigrated: expect.arrayContaining([expect.stringContaining('Vector Search')]) });
    await expect(
      world.command(approvalOf(ready, { confirms: { writesStopped: true, inventoryAccepted: false } })),
    ).rejects.toThrow('the event is wrong');
  });

  it('M26 is not done until the destination is backed up again', async () => {
    const { runId, ready, request } = await readyOne();
    await world.command(approvalOf(ready));
    const over = await world.until(runId, 'CUT_OVER', { everyMs: 61_000 });
    expect(over).toMatchObject({ snapshotId: null });
    const at = world.machine.clock.now().toISOString();
    await state().create(
      freshestSnapshotKey(request.destination.groupId),
      {
        clusters: { [request.destination.clusterName]: { snapshotId: 'seen-by-the-audit', createdAt: at, seenAt: at } },
      },
      soon(),
    );
    const done = await world.until(runId, 'COMPLETE', { everyMs: 61_000 });
    expect(done).toMatchObject({ snapshotId: 'seen-by-the-audit' });
    const states = told(runId, MIGRATION_STATE_CHANGED).map(({ detail }) => detail['to']);
    expect(states).toEqual(['SYNCING', 'READY', 'APPROVED', 'CUTOVER_INTENT', 'CUTTING_OVER', 'CUT_OVER', 'COMPLETE']);
  });
});
