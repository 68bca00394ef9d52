import { describe, expect, it } from 'vitest';
import { createStore, type IncidentId, nameOfIncident } from '../../../functions/bridge-alerts-to-tickets/store.ts';
import { systemClock } from '../../../lib/runtime/clock.ts';
import { deadlineIn } from '../../../lib/runtime/deadline.ts';
import { PROJECT } from '../../model/bridge/memory-atlas.ts';
import { BridgeWorld } from '../../model/bridge/world.ts';

const deadline = deadlineIn(60_000, systemClock);

/** A bridge with one ticket, and what each further word of its alert reads and writes. */
async function house() {
  const calls: string[] = [];
  const world = new BridgeWorld({
    policy: { groupWaitSeconds: 0 },
    gate: async (_, call) => {
      calls.push(call);
    },
  });
  const store = createStore(world.state, world.clock, () => '');
  const alert = world.atlas.open('Cluster0');
  const tell = async (fields: object = {}, event = 'alert.update', troubles = 0): Promise<string[]> => {
    calls.length = 0;
    world.inbox.push({ body: { ...world.atlas.body(alert), ...fields }, event });
    world.deliver(world.inbox.length - 1);
    await expect.poll(() => world.workers.every(({ done }) => done)).toBe(true);
    expect(world.troubles).toHaveLength(troubles);
    world.advance(1_000);
    alert.updated = world.now;
    return calls.filter((call) => !call.endsWith('answered')).map((call) => call.split('#')[0] ?? '');
  };
  await tell({ currentValue: { number: 91 } }, 'alert.open');
  const incident = async (): Promise<IncidentId> => {
    const [id] = (await store.readAlert(PROJECT, alert.id, deadline))?.value.incidents ?? [];
    if (!id) throw new Error('the alert is in no incident');
    return id;
  };
  return {
    world,
    alert,
    tell,
    store,
    incident,
    member: async () => (await store.readIncident(await incident(), deadline))?.value.members[alert.id],
  };
}

describe('word of an alert that is open already', () => {
  it('with nothing new but its time does not write its incident', async () => {
    const { world, tell } = await house();
    const calls = await tell({ currentValue: { number: 91 } });
    expect(calls).toContain('replace alert');
    expect(calls).not.toContain('replace incident');
    expect(world.tracker.live()).toHaveLength(1);
  });

  it('is counted, and the audit trail says how often once there is other news', async () => {
    const { world, tell, store, incident } = await house();
    for (let time = 0; time < 3; time++) {
      const calls = await tell({ currentValue: { number: 91 } });
      expect(calls.filter((call) => call.startsWith('create audit'))).toEqual([]);
    }
    await tell({ currentValue: { number: 97 } });
    await tell({ currentValue: { number: 97 } });
    await tell({ currentValue: { number: 98 } });
    const trail = [];
    for await (const { value } of store.trail(nameOfIncident(await incident()), deadline)) trail.push(...value.entries);
    expect(trail.filter(({ decision }) => decision === 'nothing')).toMatchObject([
      { reason: 'still open, with no other news', count: 3 },
      { reason: 'still open, with no other news', count: 1 },
    ]);
    expect(world.tracker.live()).toHaveLength(1);
  });

  it('taken in by several at once is counted each time, and told once though a writing failed', async () => {
    const { world, alert, tell, store, incident } = await house();
    const first = world.inbox.length;
    for (let time = 0; time < 4; time++) {
      world.inbox.push({ body: { ...world.atlas.body(alert), currentValue: { number: 91 } }, event: 'alert.update' });
      world.advance(1_000);
      alert.updated = world.now;
    }
    for (const nth of [0, 1, 2, 3]) world.deliver(first + nth);
    await expect.poll(() => world.workers.every(({ done }) => done)).toBe(true);
    const counted = (await store.readAlert(PROJECT, alert.id, deadline))?.value.stills ?? 0;
    expect(counted).toBeGreaterThan(1);
    const { replace } = world.state;
    let failures = 1;
    world.state.replace = async (stored, value, by, options) => {
      if (stored.key.pk.startsWith('alert#') && failures-- > 0) throw new Error('no answer');
      return replace(stored, value, by, options);
    };
    await tell({ currentValue: { number: 97 } }, 'alert.update', 1);
    world.deliver(world.inbox.length - 1);
    await expect.poll(() => world.workers.every(({ done }) => done)).toBe(true);
    const trail = [];
    for await (const { value } of store.trail(nameOfIncident(await incident()), deadline)) trail.push(...value.entries);
    expect(trail.filter(({ reason }) => reason.startsWith('still open'))).toMatchObject([{ count: counted }]);
  });

  it('with another value goes into its incident, and back to the first one, too', async () => {
    const { tell, member } = await house();
    await tell({ currentValue: { number: 97 } });
    expect(await member()).toMatchObject({ value: 97 });
    await tell({ currentValue: { number: 91 } });
    expect(await member()).toMatchObject({ value: 91 });
  });

  it('with an acknowledgement goes into its incident', async () => {
    const { world, tell, member } = await house();
    const until = new Date(world.now + 3_600_000).toISOString();
    await tell({ currentValue: { number: 91 }, acknowledgedUntil: until, acknowledgingUsername: 'ada' });
    expect(await member()).toMatchObject({ acknowledged: { by: 'ada' } });
  });

  it('is followed by its end as ever', async () => {
    const { world, alert, tell } = await house();
    await tell({ currentValue: { number: 91 } });
    world.atlas.end(alert, 'CLOSED');
    await tell({}, 'alert.close');
    expect(world.tracker.live()).toEqual([]);
  });
});
