/** The look at the whole fleet, through the built bundle: by hand, and once a day by the hourly run. */
import { S3Client } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ServiceAccount } from '../../infra/local/atlas-sandbox/world.ts';
import { createReports } from '../../lib/aws/reports.ts';
import { createState } from '../../lib/aws/state.ts';
import { SERVICE_ACCOUNT_CLASS_CHANGED } from '../../lib/events/fleet.ts';
import { systemClock } from '../../lib/runtime/clock.ts';
import { deadlineIn } from '../../lib/runtime/deadline.ts';
import { type RotationWorld, startRotationWorld } from '../support/rotation-world.ts';

const HOURLY = { source: 'aws.events', 'detail-type': 'Scheduled Event', detail: {} };

interface Report {
  readonly complete: boolean;
  readonly counts: { readonly accounts: number; readonly needPerson: number };
  readonly at: string;
  readonly fleet?: { readonly state: string; readonly code?: string };
}

let world: RotationWorld;
let stray: ServiceAccount;
beforeEach(async () => {
  world = await startRotationWorld();
  const org = world.machine.atlas.world.addOrg({ name: 'acme' });
  const automation = world.machine.atlas.world.addOrgAccount(org, { name: 'automation', roles: ['ORG_READ_ONLY'] });
  await world.machine.seedAtlasCredentials(automation);
  stray = world.machine.atlas.world.addOrgAccount(org, { name: 'stray', roles: ['ORG_OWNER'] });
  world.machine.atlas.world.addSecret(stray);
});
afterEach(() => world[Symbol.asyncDispose]());

const invoke = async (event: object) => (await world.machine.sweep.invoke(event)) as Report;
const told = () =>
  world.machine.aws.events.entries.filter((event) => event['detail-type'] === SERVICE_ACCOUNT_CLASS_CHANGED);
const deadline = () => deadlineIn(10_000, systemClock);
const kept = async (): Promise<string[]> => {
  const reports = createReports(
    world.machine.reportBucket,
    new S3Client({ ...world.machine.sdk, forcePathStyle: true }),
  );
  const names: string[] = [];
  for await (const name of reports.list('fleet/', deadline())) names.push(name);
  return names;
};

it('by hand is answered as a report, and kept', async () => {
  const dry = await invoke({ action: 'fleet', dryRun: true });
  expect(dry).toMatchObject({ complete: true, counts: { accounts: 2 } });
  expect(await kept()).toEqual([]);
  expect(told()).toEqual([]);

  const report = await invoke({ action: 'fleet' });
  expect(report.counts).toEqual(dry.counts);
  expect(await kept()).toEqual([`fleet/${report.at.slice(0, 10)}.json`]);
  expect(told().map(({ detail }) => detail)).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ clientId: stray.clientId, classes: ['unmanaged', 'over-privileged'] }),
    ]),
  );
});

describe('the hourly run', () => {
  it('looks once a day, whichever run of the day is the first', async () => {
    expect((await invoke(HOURLY)).fleet).toMatchObject({ state: 'reported', complete: true });
    expect((await invoke(HOURLY)).fleet).toBeUndefined();
    expect(told()).toHaveLength(2);
  });

  it('that can’t look goes on with its sweep, and the next one tries again', async () => {
    world.machine.atlas.faults.plan([{ operation: 'listOrgs', nth: 1, fault: { kind: 'refuse', status: 403 } }]);
    expect((await invoke(HOURLY)).fleet).toMatchObject({ state: 'failed', code: 'ATLAS_REJECTED' });
    world.machine.atlas.faults.plan([]);
    expect((await invoke(HOURLY)).fleet).toMatchObject({ state: 'reported' });
  });
});

it('two runs never write to one account: the second finds it under way', async () => {
  const subject = await world.seed({ mode: 'self', scope: 'org', second: 'none' });
  await world.rotate(subject);
  world.machine.clock.advance(26 * 3_600_000);
  const state = createState(world.machine.stateTable, world.machine.sdk);
  const key = { pk: 'service-account-writer', sk: subject.account.clientId };
  const lease = await state.create(key, { since: new Date().toISOString() }, deadline(), {
    expiresAt: new Date(Date.now() + 60_000),
  });
  const sweep = async () => (await world.machine.sweep.invoke({ secrets: [subject.arn] })) as { swept: object[] };
  expect((await sweep()).swept).toMatchObject([{ state: 'under way' }]);
  expect(subject.account.secrets).toHaveLength(2);

  if (lease) await state.remove(lease, deadline());
  expect((await sweep()).swept).toMatchObject([{ state: 'deleted' }]);
  expect(subject.account.secrets).toHaveLength(1);
});
