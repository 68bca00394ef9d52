/** What the plan of a migration says of the way to the destination, and of its archives, by what Atlas lists. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type MigrationWorld, startMigrationWorld } from '../support/migration-world.ts';

const HOUR = 3_600_000;
const HOST = '203.0.113.7';

let world: MigrationWorld;
beforeAll(async () => {
  world = await startMigrationWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

async function judged(check: string, request: object, options: object = {}) {
  const { plan } = await world.plan(request, { dryRun: true, attestations: [], ...options });
  const found = plan.checks.find(({ id }) => id === check);
  return `${found?.outcome}: ${found?.evidence}`;
}
const inHours = (hours: number) => new Date(world.machine.clock.now().getTime() + hours * HOUR).toISOString();
const accessLists = () => world.machine.atlas.world.networking.accessLists;

describe('over the internet', () => {
  it.each([
    ['an address of the list', [{ cidrBlock: `${HOST}/32`, ipAddress: HOST }], /^PASS/],
    ['an address in a block', [{ cidrBlock: '203.0.113.0/24' }], /^PASS/],
    ['anybody', [{ cidrBlock: '0.0.0.0/0' }], /^PASS: the access list is open to everybody/],
    ['nobody', [], /^FAIL: 203.0.113.7 is not on the access list/],
    ['an address next to it', [{ cidrBlock: '203.0.113.8/29' }], /^FAIL/],
    ['an address of the other family', [{ cidrBlock: '2001:db8::/32' }], /^FAIL/],
    ['what is no block', [{ cidrBlock: '203.0.113.0/99' }], /^FAIL/],
  ])('a list with %s', async (_, entries, expected) => {
    const { request } = world.seed();
    accessLists().set(world.project.id, entries);
    expect(await judged('network', { ...request, migrationHostAddress: HOST })).toMatch(expected);
  });

  it('an entry that ends before a migration may has not let the host in', async () => {
    const { request } = world.seed();
    const asked = { ...request, migrationHostAddress: HOST };
    accessLists().set(world.project.id, [{ cidrBlock: `${HOST}/32`, deleteAfterDate: inHours(24) }]);
    expect(await judged('network', asked)).toMatch(/^FAIL: 203.0.113.7 leaves the access list at 20/);
    accessLists().set(world.project.id, [{ cidrBlock: `${HOST}/32`, deleteAfterDate: inHours(24 * 9) }]);
    expect(await judged('network', asked)).toMatch(/^PASS/);
  });

  it('an address nobody gave, or a list that can’t be read, is attested', async () => {
    const { request } = world.seed();
    accessLists().set(world.project.id, [{ cidrBlock: `${HOST}/32` }]);
    const attestations = [{ check: 'network', by: 'ada', statement: 'it is on the list' }];
    expect(await judged('network', request)).toMatch(/^UNKNOWN: migrationHostAddress is not given/);
    expect(await judged('network', request, { attestations })).toMatch(/^PASS: ada says/);
    world.machine.faults.plan(
      Array.from({ length: 9 }, (_, nth) => ({
        operation: 'listGroupAccessListEntries',
        nth: nth + 1,
        fault: { kind: 'refuse', status: 403 } as const,
      })),
    );
    const asked = { ...request, migrationHostAddress: HOST };
    expect(await judged('network', asked)).toMatch(/^UNKNOWN: ATLAS_/);
    world.machine.faults.plan([]);
  });
});

it.each([
  ['AVAILABLE', 'vpce-1', /^PASS: its service in US_EAST_1 is AVAILABLE/],
  ['FAILED', 'vpce-1', /^FAIL: its service in US_EAST_1 is FAILED/],
  ['AVAILABLE', 'vpce-2', /^UNKNOWN: none of 1 endpoint services knows vpce-2/],
] as const)('a private endpoint whose service is %s, asked for as %s', async (status, privateLinkId, expected) => {
  const { request } = world.seed();
  const service = { id: 'a'.repeat(24), cloudProvider: 'AWS', regionName: 'US_EAST_1', status } as const;
  world.machine.atlas.world.networking.endpointServices.set(world.project.id, [
    { ...service, interfaceEndpoints: ['vpce-1'] },
  ]);
  const destination = { ...request.destination, hostnameSchemaType: 'PRIVATE_LINK', privateLinkId };
  expect(await judged('network', { ...request, destination })).toMatch(expected);
});

it('an archive that is to be paused must be an active one of the destination', async () => {
  const { cluster, request } = world.seed();
  const { onlineArchives } = world.machine.atlas.world;
  const active = onlineArchives.add(cluster, { dbName: 'a', collName: 'b' });
  const pending = onlineArchives.add(cluster, { dbName: 'a', collName: 'c', state: 'PENDING' });
  const pausing = (...ids: string[]) => ({ ...request, around: { pauseOnlineArchives: ids } });
  expect(await judged('not-migrated', pausing(active.id))).toMatch(/^UNKNOWN: .* and 2 online archives$/);
  expect(await judged('not-migrated', pausing(active.id, pending.id))).toBe(
    `FAIL: not an active online archive: ${pending.id}`,
  );
});
