/** More hard scenarios of a live migration: those that reach beyond Atlas, through the built bundles over the sandbox. */
import { S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createReports } from '../../lib/aws/reports.ts';
import { MIGRATION_NEEDS_PERSON } from '../../lib/events/migration.ts';
import { systemClock } from '../../lib/runtime/clock.ts';
import { deadlineIn } from '../../lib/runtime/deadline.ts';
import { type Migration, type MigrationWorld, startMigrationWorld } from '../support/migration-world.ts';
import { clusterAnswers, type ImitatedCluster, startWireServer, type WireServer } from '../support/wire-server.ts';

const START = 'createGroupLiveMigration';
const CUTOVER = 'cutoverGroupLiveMigration';
const HOUR = 3_600_000;
const quick = { copySeconds: 600, newSeconds: 10, cutoverSeconds: 60 };

let world: MigrationWorld;
const printed: string[] = [];
beforeAll(async () => {
  world = await startMigrationWorld({
    migration: { lagGatePolls: 2, timeZone: 'Europe/Berlin' },
    onOutput: (text) => printed.push(text),
  });
});
afterAll(() => world[Symbol.asyncDispose]());

let from = 0;
beforeEach(() => {
  world.machine.faults.plan([]);
  from = world.machine.faults.journal.length;
});
const sent = (operation: string): number =>
  world.machine.faults.journal.slice(from).filter((call) => call.operation === operation).length;
const calls = (runId: string) =>
  world.machine.aws.events.entries.flatMap((event) =>
    event['detail-type'] === MIGRATION_NEEDS_PERSON && event.detail['runId'] === runId ? [event.detail] : [],
  );
const called = (runId: string) => calls(runId).map(({ what }) => what);
const approvalOf = (ready: Migration, over: object = {}) => ({
  action: 'approve-cutover',
  runId: ready.runId,
  approvalId: ready.approval?.approvalId,
  planDigest: ready.planDigest,
  approvedBy: 'grace',
  confirms: { writesStopped: true, inventoryAccepted: true },
  ...over,
});
const begun = async (request: object) => {
  const { plan, standsAgainst } = await world.planned(request);
  expect(standsAgainst).toEqual([]);
  return world.start(plan.digest);
};
const readyOne = async (request: object) => world.until((await begun(request)).runId, 'READY', { everyMs: 121_000 });
const abandon = (runId: string) =>
  world.command({ action: 'abandon', runId, requestedBy: 'ada', reason: 'a test', cancelledInAtlas: true });
const pageOf = async (key: string): Promise<string | undefined> => {
  const client = new S3Client({ ...world.machine.sdk, forcePathStyle: true });
  const file = await createReports(world.machine.reportBucket, client).get(key, deadlineIn(10_000, systemClock));
  return file && new TextDecoder().decode(file);
};

/** A source whose own driver port is imitated, named in a secret. */
async function withDriver(
  name: string,
  cluster: ImitatedCluster,
): Promise<WireServer & { readonly uriSecret: string }> {
  const server = await startWireServer(clusterAnswers(cluster));
  const uriSecret = `migration/uri-${name}`;
  await world.machine.putSecret(uriSecret, { uri: server.uri });
  return Object.assign(server, { uriSecret });
}
const looked = (request: ReturnType<MigrationWorld['seed']>['request'], source: string, destination?: string) => ({
  ...request,
  source: { ...request.source, uriSecret: source },
  destination: { ...request.destination, ...(destination !== undefined && { uriSecret: destination }) },
});

describe('at the source', () => {
  it('M15 sends no cutover while somebody still writes to the source, whatever was confirmed', async () => {
    const cluster: ImitatedCluster = { databases: { shop: [{ name: 'orders' }] }, writesPerLook: 3 };
    await using source = await withDriver('m15', cluster);
    const ready = await readyOne(looked(world.seed(quick).request, source.uriSecret));
    await expect(world.command(approvalOf(ready))).resolves.toMatchObject({
      migration: { state: 'SYNCING', reason: expect.stringContaining('still writes to the source') },
    });
    expect(sent(CUTOVER)).toBe(0);
    cluster.writesPerLook = 0;
    const again = await world.until(ready.runId, 'READY', { everyMs: 121_000 });
    await world.command(approvalOf(again));
    expect(sent(CUTOVER)).toBe(1);
  }, 60_000);

  it('M16 cries out when the lag comes near the length of the source’s oplog', async () => {
    await using source = await withDriver('m16', { databases: {}, oplogHours: 25 });
    const { runId } = await begun(looked(world.seed({ ...quick, copySeconds: 24 * 3600 }).request, source.uriSecret));
    world.machine.clock.advance(301_000);
    await world.tick();
    expect(calls(runId)).toContainEqual(expect.objectContaining({ what: 'lag', severity: 'critical' }));
    await abandon(runId);
  });

  it('M17 marks the source’s secret for as long as it is in use, and tells when it was changed all the same', async () => {
    const name = 'migration/m17';
    await world.machine.putSecret(name, { username: 'mover', password: 'first' });
    const secret = () => Object.values(world.machine.aws.secretsManager.secrets).find((each) => each.name === name);
    const { request } = world.seed(quick);
    const { runId } = await begun({
      ...request,
      source: { ...request.source, managedAuthentication: false, credentialsSecret: name },
    });
    expect(secret()?.tags).toEqual({ 'atlas-automation:in-use-by': runId });
    await world.machine.putSecret(name, { username: 'mover', password: 'second' });
    world.machine.clock.advance(301_000);
    await world.tick();
    expect(called(runId)).toEqual(['source-secret']);
    await abandon(runId);
    world.machine.clock.advance(61_000);
    await world.tick();
    expect(secret()?.tags).toEqual({});
  });

  it('M24 asks for no approval while the destination lacks a collection of the source', async () => {
    const databases = { shop: [{ name: 'orders' }] };
    const held: ImitatedCluster = { databases: {} };
    await using source = await withDriver('m24', { databases });
    await using destination = await withDriver('m24-to', held);
    const { request } = world.seed(quick);
    const { runId } = await begun(looked(request, source.uriSecret, destination.uriSecret));
    for (let look = 0; look < 8; look++) {
      world.machine.clock.advance(121_000);
      await world.tick();
    }
    expect(called(runId)).toEqual(['collections']);
    expect(calls(runId)[0]?.['reason']).toContain('shop.orders');
    held.databases = databases;
    const ready = await world.until(runId, 'READY', { everyMs: 121_000 });
    held.databases = {};
    await expect(world.command(approvalOf(ready))).resolves.toMatchObject({ migration: { state: 'SYNCING' } });
    expect(sent(CUTOVER)).toBe(0);
    await abandon(runId);
  }, 60_000);

  it('M24 starts nothing from a source that holds time-series collections', async () => {
    await using source = await withDriver('m24-series', {
      databases: { shop: [{ name: 'weather', type: 'timeseries' }] },
    });
    const { plan, canStart } = await world.planned(looked(world.seed(quick).request, source.uriSecret));
    expect(canStart).toBe(false);
    expect(plan.checks.find(({ id }) => id === 'time-series')).toMatchObject({
      outcome: 'FAIL',
      evidence: 'shop.weather',
    });
  });
});

describe('after the cutover', () => {
  it('M29 offers no way back but the ones there are', async () => {
    const { request } = world.seed(quick);
    const ready = await readyOne(request);
    expect(ready.rollback).toMatchObject({ pastReturn: false });
    await world.command(approvalOf(ready));
    const over = await world.until(ready.runId, 'CUT_OVER', { everyMs: 61_000 });
    expect(over.rollback.pastReturn).toBe(true);
    expect(over.rollback.options).toEqual([
      expect.stringMatching(/^As long as nothing was written.*Nothing is lost/),
      expect.stringMatching(/mend forward/),
      expect.stringMatching(/copy back yourself.*is lost/),
    ]);
    const page = await pageOf(`migrations/${ready.runId}/timeline.html`);
    expect(page).toContain('CUT OVER');
    expect(page).toContain('point of no return');
    expect(page).toContain('grace');
  }, 60_000);

  it('M21 reminds of the link token once it is over, and never shows one', async () => {
    const ready = await readyOne(world.seed(quick).request);
    await world.command(approvalOf(ready));
    await world.until(ready.runId, 'CUT_OVER', { everyMs: 61_000 });
    const done = await world.until(ready.runId, 'COMPLETE', { everyMs: HOUR });
    expect(done.nextSteps.join()).toContain('delete its link token');
    const token = world.machine.atlas.world.migrations.link(world.org.id);
    expect(printed.join('')).not.toContain(token.slice(0, 20));
    expect(printed.join('')).not.toContain('linkToken');
  }, 60_000);

  it('M30 tells a deadline in UTC and in the zone people live in', async () => {
    const ready = await readyOne(world.seed(quick).request);
    const { earliest = '', local } = ready.deadline ?? {};
    expect(local).toContain(earliest);
    expect(local).toContain('Europe/Berlin');
    await abandon(ready.runId);
  });
});

describe('several at once', () => {
  it('M32 plans thirty migrations with one list of the organization’s sources', async () => {
    const seeds = Array.from({ length: 30 }, () => world.seed(quick));
    // The list of an earlier plan may still be taken: what it lacks is asked for.
    world.machine.clock.advance(61_000);
    for (const { request } of seeds) await world.plan(request);
    expect(sent('listOrgLiveMigrationAvailableProjects')).toBeLessThanOrEqual(2);
    expect(sent('validateGroupLiveMigrations')).toBe(30);
  }, 60_000);
});

describe('a start nobody knows the outcome of', () => {
  it('lets no later plan for the same destination drop its data', async () => {
    const { cluster, request } = world.seed(quick);
    const { plan } = await world.planned(request);
    world.machine.faults.plan([{ operation: START, nth: 1, fault: { kind: 'refuse', status: 500 } }]);
    const unknown = await world.start(plan.digest);
    expect(unknown.state).toBe('START_UNKNOWN');
    await world.until(unknown.runId, 'FAILED');
    const dropping = await world.planned({ ...request, dropDestinationData: true });
    expect(dropping.canStart).toBe(false);
    expect(dropping.plan.checks.find(({ id }) => id === 'destination-empty')).toMatchObject({
      outcome: 'FAIL',
      evidence: expect.stringContaining('without dropDestinationData'),
    });
    const drop = { clusterName: cluster.name, approvedBy: 'grace' };
    await expect(world.start(dropping.plan.digest, { drop })).rejects.toThrow('without dropDestinationData');
    expect((await begun(request)).state).toBe('SYNCING');
  }, 60_000);

  it('takes no id that is another migration’s, or that Atlas does not know', async () => {
    const other = await begun(world.seed(quick).request);
    const { request } = world.seed(quick);
    const { plan } = await world.planned(request);
    world.machine.faults.plan([{ operation: START, nth: 1, fault: { kind: 'lost' } }]);
    const { runId } = await world.start(plan.digest);
    const give = (liveMigrationId: string | null) =>
      world.command({ action: 'identify', runId, liveMigrationId, identifiedBy: 'ada' });
    await expect(give(other.liveMigrationId)).rejects.toThrow(`is the migration of ${other.runId}`);
    await expect(give('f'.repeat(24))).rejects.toThrow('Atlas has no migration');
    const foreign = world.seed(quick);
    const elsewhere = world.machine.atlas.world.migrations.start(foreign.cluster, {
      orgId: world.org.id,
      migrationHost: foreign.request.migrationHost,
      dropsDestination: false,
    });
    await expect(give(elsewhere.id)).rejects.toThrow('uses another host');
  });

  it('keeps its destination and its host when it is abandoned, until Atlas tells its end', async () => {
    const { request } = world.seed(quick);
    const { runId, liveMigrationId } = await begun(request);
    await world.command({ action: 'abandon', runId, requestedBy: 'ada', reason: 'another way' });
    const outcome = async () =>
      (await world.plan(request, { dryRun: true })).plan.checks.find(({ id }) => id === 'migration-host-free')?.outcome;
    expect(await outcome()).toBe('FAIL');
    const migrations = world.machine.atlas.world.migrations;
    const running = migrations.find(liveMigrationId ?? '');
    if (running) migrations.cancel(running);
    world.machine.clock.advance(HOUR + 1_000);
    await world.tick();
    expect(await outcome()).toBe('PASS');
  });
});

it('goes on while the bus can’t be told, and tells it once it can', async () => {
  const { request } = world.seed(quick);
  const { plan } = await world.planned(request);
  world.machine.faults.plan(
    Array.from({ length: 200 }, (_, nth) => ({
      operation: 'PutEvents',
      nth: nth + 1,
      fault: { kind: 'refuse', status: 400 } as const,
    })),
  );
  const begin = { action: 'start', planDigest: plan.digest, requestedBy: 'ada' };
  await expect(world.command(begin)).rejects.toThrow();
  world.machine.clock.advance(301_000);
  await expect(world.tick()).rejects.toThrow('could not be looked after');
  const { migrations } = (await world.command({ action: 'status' })) as {
    migrations: { source: object; polledAt: string | null; runId: string }[];
  };
  const run = migrations.find(
    ({ source }) => (source as { clusterName: string }).clusterName === request.source.clusterName,
  );
  expect(run?.polledAt).not.toBeNull();
  world.machine.faults.plan([]);
  await world.tick();
  const told = world.machine.aws.events.entries.filter(({ detail }) => detail['runId'] === run?.runId);
  expect(told.map(({ detail }) => detail['to'])).toContain('SYNCING');
});

it('keeps a plan as a page, and none of a dry run', async () => {
  const { request } = world.seed(quick);
  const dry = await world.plan(request, { dryRun: true });
  expect(await pageOf(`migrations/${dry.plan.digest}/plan.html`)).toBeUndefined();
  const { plan } = await world.plan(request, {
    waivers: [{ check: 'topology', owner: 'ada', reason: 'x', expires: '2099-01-01T00:00:00Z' }],
  });
  const page = await pageOf(`migrations/${plan.digest}/plan.html`);
  expect(page).toContain(plan.digest);
  expect(page).toContain('a BLOCKER can’t be waived');
});

it('writes nothing in a dry run of any action', async () => {
  const ready = await readyOne(world.seed(quick).request);
  const writes = () =>
    world.machine.faults.journal.filter(({ operation }) =>
      /PutItem|PutEvents|^create|^cutover|^validate|^pin|^update/.test(operation),
    ).length;
  const before = writes();
  await world.command(approvalOf(ready, { dryRun: true }));
  await world.command({ action: 'abandon', runId: ready.runId, requestedBy: 'ada', reason: 'x', dryRun: true });
  await world.plan(world.seed(quick).request, { dryRun: true });
  await world.machine.invoke('watch-live-migrations', { dryRun: true });
  expect(writes()).toBe(before);
});
