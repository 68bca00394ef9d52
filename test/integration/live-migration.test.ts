/** Both built bundles of the live migration, over the sandbox: from the plan to the first snapshot after the cutover. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type MigrationWorld, startMigrationWorld } from '../support/migration-world.ts';

let world: MigrationWorld;
beforeEach(async () => {
  world = await startMigrationWorld();
});
afterEach(() => world[Symbol.asyncDispose]());

it('goes from a plan through one start and one approved cutover to the first snapshot', async () => {
  const { request } = world.seed();
  const { plan, canStart, standsAgainst } = await world.planned(request);
  expect(standsAgainst).toEqual([]);
  expect(canStart).toBe(true);
  expect(plan.checks).toHaveLength(34);

  const started = await world.start(plan.digest);
  expect(started).toMatchObject({ state: 'SYNCING' });
  expect((await world.start(plan.digest)).runId).toBe(started.runId);
  expect(world.sent('createGroupLiveMigration')).toBe(1);

  const ready = await world.until(started.runId, 'READY');
  expect(ready.approval).not.toBeNull();
  const approval = {
    action: 'approve-cutover',
    runId: started.runId,
    approvalId: ready.approval?.approvalId,
    planDigest: plan.digest,
    confirms: { writesStopped: true, inventoryAccepted: true },
  };
  await expect(world.command({ ...approval, approvedBy: ' Ada' })).rejects.toThrow('cannot approve');
  const approved = await world.command({ ...approval, approvedBy: 'grace' });
  expect(approved['migration']).toMatchObject({ state: 'CUTTING_OVER', approvedBy: 'grace' });
  await expect(world.command({ ...approval, approvedBy: 'grace' })).rejects.toThrow('no approval is asked for');
  expect(world.sent('cutoverGroupLiveMigration')).toBe(1);

  await world.until(started.runId, 'CUT_OVER', { everyMs: 61_000 });
  const done = await world.until(started.runId, 'COMPLETE', { everyMs: 3_600_000 });
  expect(done).toMatchObject({ snapshotId: expect.any(String) });
  expect(await world.tick()).toEqual([]);
  expect(await world.command({ action: 'verify-record', runId: started.runId })).toMatchObject({ whole: true });
});
