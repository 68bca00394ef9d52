/**
 * One fault at every call of a whole rotation, in turn: the process killed before and after, the answer lost, the call
 * carried out late, refused, failing. Whatever happened, the invariants hold at every moment, and the rotation ends well
 * once nothing goes wrong any more.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Fault } from '../../infra/local/faults.ts';
import { SECRET_ROTATED } from '../../lib/events/rotation.ts';
import { type RotationWorld, type Scene, startRotationWorld } from '../support/rotation-world.ts';

const faults: Record<string, Fault> = {
  'killed before': { kind: 'kill', when: 'before' },
  'killed after': { kind: 'kill', when: 'after' },
  lost: { kind: 'lost' },
  late: { kind: 'late', ms: 60_000 },
  'refused with 429': { kind: 'refuse', status: 429, retryAfterSeconds: 0 },
  'failing with 500': { kind: 'refuse', status: 500 },
};

const scenes: Scene[] = [
  { mode: 'self', scope: 'org', second: 'none' },
  { mode: 'admin', scope: 'project', second: 'expired' },
  { mode: 'self', scope: 'project', second: 'previous' },
];

/** Far above what a rotation needs; the sweep ends by itself at the first call that does not happen. */
const MOST_CALLS = 120;

let world: RotationWorld;
beforeAll(async () => {
  world = await startRotationWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

async function sweep(scene: Scene, fault: Fault): Promise<{ calls: number; problems: string[] }> {
  const { machine } = world;
  const problems: string[] = [];
  for (let nth = 1; nth <= MOST_CALLS; nth++) {
    const subject = await world.seed(scene);
    const from = machine.faults.journal.length;
    await world.rotate(subject, [{ operation: '*', nth, fault }]);
    const met = machine.faults.journal.slice(from).find((entry) => entry.fault !== undefined);
    if (!met) return { calls: nth - 1, problems };

    await world.recover(subject);
    const here = (what: string): void => {
      problems.push(`call ${nth} (${met.operation}): ${what}`);
    };
    for (const violation of subject.violations) here(violation);
    if (!world.isRotated(subject)) here('the rotation never ended');
    const { clientId, secrets } = subject.account;
    const current = world.valueAt(subject, 'AWSCURRENT');
    const held = [current?.clientSecret, world.valueAt(subject, 'AWSPREVIOUS')?.clientSecret];
    if (!secrets.every(({ value }) => held.includes(value))) here('a secret is left that nobody holds');
    if (!machine.atlas.world.isUsable(clientId, subject.initialSecret.value))
      here('the replaced secret was not left its grace');
    const mints = machine.faults.journal
      .slice(from)
      .filter(
        ({ operation, status }) => /^create.*Secret$/.test(operation) && (status === 201 || status === undefined),
      );
    if (mints.length > 2) here(`${mints.length} secrets were minted`);
    const version = world.secretOf(subject).labels['AWSCURRENT'];
    const told = machine.aws.events.entries.filter(
      (event) => event['detail-type'] === SECRET_ROTATED && event.detail['versionId'] === version,
    );
    if (told.length === 0) here('nobody was told');
  }
  throw new Error('the rotation does not end');
}

describe.each(scenes)('a rotation of an account ($scope, $mode, second slot: $second)', (scene) => {
  it.each(Object.entries(faults))(
    'survives any one call %s',
    async (_, fault) => {
      const { calls, problems } = await sweep(scene, fault);
      expect(problems).toEqual([]);
      expect(calls).toBeGreaterThan(25);
    },
    600_000,
  );
});
