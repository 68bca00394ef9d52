import { describe, expect, it } from 'vitest';
import { assemble } from '../../../functions/bridge-alerts-to-tickets/bridge.ts';
import { bringOn } from '../../../functions/bridge-alerts-to-tickets/deliver.ts';
import { hear } from '../../../functions/bridge-alerts-to-tickets/hear.ts';
import { createJournal } from '../../../functions/bridge-alerts-to-tickets/journal.ts';
import { listen, settleOwn } from '../../../functions/bridge-alerts-to-tickets/tell.ts';
import { BACKUP_FINDING_OPENED, BACKUP_FINDING_RESOLVED } from '../../../lib/events/backup.ts';
import { MIGRATION_NEEDS_PERSON, MIGRATION_STATE_CHANGED } from '../../../lib/events/migration.ts';
import { systemClock } from '../../../lib/runtime/clock.ts';
import { deadlineIn } from '../../../lib/runtime/deadline.ts';
import { BridgeWorld } from '../../model/bridge/world.ts';

const deadline = deadlineIn(60_000, systemClock);

function house() {
  const world = new BridgeWorld({ policy: { groupWaitSeconds: 0 } });
  const tickets = world.tracker.for(async () => {});
  const bridge = assemble({
    settings: world.settings,
    clock: world.clock,
    state: world.state,
    atlas: undefined,
    tickets: async () => tickets,
    newToken: () => `${Math.random()}`,
  });
  const journal = createJournal(bridge.store, () => world.now);
  return {
    world,
    async tell(detailType: string, detail: Record<string, unknown>) {
      const event = { kind: 'event' as const, id: 'e', detailType, detail, time: new Date(world.now).toISOString() };
      const touched = await hear(await listen(event, bridge, journal, deadline), { bridge, journal, deadline });
      await settleOwn(event, bridge, deadline);
      await bringOn(touched, { bridge, deadline, onTrouble: (...trouble) => expect(trouble).toEqual([]) }, journal, 0);
      world.advance(1_000);
    },
  };
}

const finding = (over: object = {}) => ({
  findingId: 'o/p/c/BK-01',
  rule: 'BK-01',
  title: 'No backups',
  severity: 'high',
  reason: 'Backups are off.',
  organizationId: 'o',
  projectId: 'p',
  projectName: 'P',
  clusterId: 'c',
  clusterName: 'Cluster0',
  firstSeen: '2030-01-01T00:00:00.000Z',
  runId: 'r',
  policyDigest: 'd',
  ...over,
});

describe('what the bundle itself reports', () => {
  it('is one ticket for a cluster’s findings, closed with the last of them', async () => {
    const { world, tell } = house();
    await tell(BACKUP_FINDING_OPENED, { ...finding(), remedy: 'Turn them on.' });
    await tell(BACKUP_FINDING_OPENED, { ...finding(), remedy: 'Turn them on.' });
    await tell(BACKUP_FINDING_OPENED, { ...finding({ findingId: 'o/p/c/BK-02', rule: 'BK-02' }), remedy: 'Do.' });
    expect(world.tracker.rows).toHaveLength(1);
    await tell(BACKUP_FINDING_RESOLVED, finding({ closedAs: 'mended' }));
    expect(world.tracker.live()).toHaveLength(1);
    await tell(BACKUP_FINDING_RESOLVED, finding({ findingId: 'o/p/c/BK-02', closedAs: 'mended' }));
    expect(world.tracker.live()).toEqual([]);
  });

  it('opens again when the thing is in trouble again', async () => {
    const { world, tell } = house();
    await tell(BACKUP_FINDING_OPENED, { ...finding(), remedy: 'Do.' });
    await tell(BACKUP_FINDING_RESOLVED, finding({ closedAs: 'mended' }));
    await tell(BACKUP_FINDING_OPENED, { ...finding(), remedy: 'Do.' });
    expect(world.tracker.live()).toHaveLength(1);
  });

  it('is over for a migration that goes on', async () => {
    const { world, tell } = house();
    const about = { id: 'x', runId: 'run', groupId: 'p', clusterName: 'Target', at: '2030-01-01T00:00:00.000Z' };
    await tell(MIGRATION_NEEDS_PERSON, {
      ...about,
      state: 'READY',
      what: 'approve-cutover',
      severity: 'warning',
      reason: 'Waits.',
      deadline: null,
    });
    expect(world.tracker.live()).toHaveLength(1);
    await tell(MIGRATION_STATE_CHANGED, { ...about, id: 'y', from: 'READY', to: 'APPROVED', reason: 'Approved.' });
    expect(world.tracker.live()).toEqual([]);
  });

  it('makes nothing of an event it does not know, or that is of another shape', async () => {
    const { world, tell } = house();
    await tell('Something Else', {});
    await tell(MIGRATION_NEEDS_PERSON, { runId: 7 });
    expect(world.tracker.rows).toEqual([]);
  });
});
