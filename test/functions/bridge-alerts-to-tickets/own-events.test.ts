import { describe, expect, it } from 'vitest';
import { assemble } from '../../../functions/bridge-alerts-to-tickets/bridge.ts';
import { openMembers } from '../../../functions/bridge-alerts-to-tickets/core/incident.ts';
import { bringOn } from '../../../functions/bridge-alerts-to-tickets/deliver.ts';
import { hear } from '../../../functions/bridge-alerts-to-tickets/hear.ts';
import { createJournal } from '../../../functions/bridge-alerts-to-tickets/journal.ts';
import { listen, settleOwn } from '../../../functions/bridge-alerts-to-tickets/tell.ts';
import { BACKUP_FINDING_OPENED, BACKUP_FINDING_RESOLVED } from '../../../lib/events/backup.ts';
import { MIGRATION_NEEDS_PERSON, MIGRATION_STATE_CHANGED } from '../../../lib/events/migration.ts';
import { ROTATION_TAKEN_BACK, SECRET_ROTATED } from '../../../lib/events/rotation.ts';
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
    /** The types of alerts that are open, whatever incidents they are in. */
    async open(): Promise<string[]> {
      const found: string[] = [];
      for (const row of world.tracker.live()) {
        const owner = await bridge.store.ownerOf('ops', row.ref.id, deadline);
        const incident = await bridge.store.readIncident({ destination: 'ops', key: owner?.value.key ?? '' }, deadline);
        if (incident) found.push(...openMembers(incident.value).map(([, { type }]) => type));
      }
      return found;
    },
    async tell(detailType: string, detail: Record<string, unknown>, time = new Date(world.now).toISOString()) {
      const event = { kind: 'event' as const, id: 'e', detailType, detail, time };
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

  const run = { runId: 'run', groupId: 'p', clusterName: 'Target' };
  const needs = (id: string, state: string, what: string, at: string) => ({
    ...run,
    id,
    at,
    state,
    what,
    severity: 'warning',
    reason: 'Waits.',
    deadline: null,
  });
  const moved = (id: string, from: string, to: string, at: string) => ({ ...run, id, from, to, at, reason: 'So.' });
  const at = (minute: number): string => `2030-01-01T00:${String(minute).padStart(2, '0')}:00.000Z`;

  it.each(['APPROVED', 'CUTOVER_INTENT', 'ABANDONED', 'A_STATE_OF_TOMORROW'])(
    'is over when the migration leaves the state it was told in, for %s too',
    async (to) => {
      const { world, tell } = house();
      await tell(MIGRATION_NEEDS_PERSON, needs('a', 'READY', 'approve-cutover', at(1)));
      await tell(MIGRATION_STATE_CHANGED, moved('b', 'READY', to, at(2)));
      expect(world.tracker.live()).toEqual([]);
    },
  );

  it('is over with its state although the next state is trouble itself', async () => {
    const { open, tell } = house();
    await tell(MIGRATION_NEEDS_PERSON, needs('a', 'SYNCING', 'lag', at(1)));
    await tell(MIGRATION_STATE_CHANGED, moved('b', 'SYNCING', 'FAILED', at(2)));
    await tell(MIGRATION_STATE_CHANGED, moved('b', 'SYNCING', 'FAILED', at(2)));
    expect(await open()).toEqual(['MIGRATION_FAILED']);
  });

  it('goes on when word of the state comes after what was told in it', async () => {
    const { open, tell } = house();
    await tell(MIGRATION_NEEDS_PERSON, needs('a', 'SYNCING', 'lag', at(1)));
    await tell(MIGRATION_NEEDS_PERSON, needs('b', 'READY', 'approve-cutover', at(2)));
    await tell(MIGRATION_STATE_CHANGED, moved('c', 'SYNCING', 'READY', at(2)));
    await tell(MIGRATION_NEEDS_PERSON, needs('b', 'READY', 'approve-cutover', at(2)));
    expect(await open()).toEqual(['MIGRATION_APPROVE_CUTOVER']);
  });

  it('is not brought back by word of a state that was left', async () => {
    const { world, tell } = house();
    await tell(MIGRATION_STATE_CHANGED, moved('c', 'READY', 'APPROVED', at(3)));
    await tell(MIGRATION_NEEDS_PERSON, needs('a', 'READY', 'approve-cutover', at(2)));
    await tell(MIGRATION_STATE_CHANGED, moved('b', 'SYNCING', 'READY', at(1)));
    expect(world.tracker.rows).toEqual([]);
  });

  it('is told by a word nobody knew when this was written', async () => {
    const { open, tell } = house();
    await tell(MIGRATION_NEEDS_PERSON, {
      ...needs('a', 'A_STATE_OF_TOMORROW', 'Ask the <moon>!', at(1)),
      severity: 'purple',
    });
    expect(await open()).toEqual(['MIGRATION_ASK_THE_MOON_']);
  });

  it('is not closed by an end that was sent before it began', async () => {
    const { world, tell } = house();
    const secret = { id: 'x', secretArn: 'arn:aws:secretsmanager:x:1:secret:s-abcdef', versionId: 'v', clientId: 'c' };
    const takenBack = { ...secret, requestIds: [], secretId: null, restoredVersionId: 'u', restoredSecretId: 'u' };
    const rotated = { ...secret, requestIds: [], secretId: 's', expiresAt: null, previousSecretId: null };
    await tell(ROTATION_TAKEN_BACK, { ...takenBack, deadline: at(30) }, at(2));
    await tell(SECRET_ROTATED, { ...rotated, overlapUntil: null }, at(1));
    expect(world.tracker.live()).toHaveLength(1);
    await tell(SECRET_ROTATED, { ...rotated, overlapUntil: null }, at(3));
    expect(world.tracker.live()).toEqual([]);
    await tell(ROTATION_TAKEN_BACK, { ...takenBack, deadline: at(30) }, at(2));
    expect(world.tracker.live()).toEqual([]);
  });

  it('makes nothing of an event it does not know, or that is of another shape', async () => {
    const { world, tell } = house();
    await tell('Something Else', {});
    await tell(MIGRATION_NEEDS_PERSON, { runId: 7 });
    expect(world.tracker.rows).toEqual([]);
  });
});
