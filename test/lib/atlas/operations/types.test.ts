import { describe, expectTypeOf, it } from 'vitest';
import type { AtlasClient, Input, Result } from '../../../../lib/atlas/client.ts';
import { acknowledgeGroupAlert, getGroupAlert, listGroupAlerts } from '../../../../lib/atlas/operations/alerts.ts';
import type { disableGroupBackupCompliancePolicy } from '../../../../lib/atlas/operations/backup-compliance.ts';
import type { updateGroupClusterBackupSchedule } from '../../../../lib/atlas/operations/backup-schedules.ts';
import type { pinGroupClusterFeatureCompatibilityVersion } from '../../../../lib/atlas/operations/clusters.ts';
import type {
  createGroupLiveMigration,
  listOrgLiveMigrationAvailableProjects,
} from '../../../../lib/atlas/operations/live-migrations.ts';
import { openEnum } from '../../../../lib/atlas/operations/shapes.ts';
import type { pages } from '../../../../lib/atlas/pages.ts';

describe('the types', () => {
  it('of an answer are what the schema makes of it', () => {
    type Alert = Result<typeof getGroupAlert>;
    expectTypeOf<Alert['id']>().toEqualTypeOf<string>();
    expectTypeOf<Alert['created']>().toEqualTypeOf<Date | null | undefined>();
    expectTypeOf<Alert['status']>().toEqualTypeOf<
      'OPEN' | 'TRACKING' | 'CLOSED' | 'CANCELLED' | (string & {}) | null | undefined
    >();
    expectTypeOf<Result<typeof disableGroupBackupCompliancePolicy>>().toEqualTypeOf<undefined>();
    expectTypeOf<Result<typeof listOrgLiveMigrationAvailableProjects>[number]['projectId']>().toEqualTypeOf<string>();
    expectTypeOf<Result<typeof createGroupLiveMigration>['_id']>().toEqualTypeOf<string>();
  });

  it('of an open enumeration keep its known values apart', () => {
    expectTypeOf(openEnum('a', 'b').parse('c')).toEqualTypeOf<'a' | 'b' | (string & {})>();
  });

  it('of a list lead to its items', () => {
    type Item = ReturnType<typeof pages<typeof listGroupAlerts>> extends AsyncGenerator<infer Each> ? Each : never;
    expectTypeOf<Item>().toEqualTypeOf<Result<typeof getGroupAlert>>();
  });

  it('of a request ask for what it needs, and take nothing else', () => {
    expectTypeOf<Input<typeof getGroupAlert>>().toEqualTypeOf<{
      readonly params: { groupId: string; alertId: string };
    }>();
    type Pin = Input<typeof pinGroupClusterFeatureCompatibilityVersion>['body'];
    expectTypeOf<Pin>().toEqualTypeOf<{ expirationDate?: Date | string | undefined }>();
    type Body = NonNullable<Input<typeof updateGroupClusterBackupSchedule>['body']['policies']>[number];
    type Hourly = Extract<Body['policyItems'][number], { frequencyType: 'hourly' }>;
    expectTypeOf<Hourly['frequencyInterval']>().toEqualTypeOf<1 | 2 | 4 | 6 | 8 | 12>();
  });

  it('of a wrong call do not compile', () => {
    const params = { groupId: '', alertId: '' };
    const wrong = (atlas: AtlasClient) => [
      // @ts-expect-error a body is missing
      atlas.call(acknowledgeGroupAlert, { params }),
      // @ts-expect-error one of its places is missing
      atlas.call(getGroupAlert, { params: { groupId: '' } }),
      // @ts-expect-error it can't be asked for
      atlas.call(listGroupAlerts, { params, query: { status: 'CANCELLED' } }),
      // @ts-expect-error an instant is a Date or text
      atlas.call(acknowledgeGroupAlert, { params, body: { acknowledgedUntil: 2126 } }),
      // @ts-expect-error it takes none
      atlas.call(getGroupAlert, { params, body: {} }),
    ];
    expectTypeOf(wrong).toBeFunction();
  });
});
