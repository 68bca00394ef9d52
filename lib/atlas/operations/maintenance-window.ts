import * as z from 'zod';
import { operation } from './define.ts';
import { GroupId, Long } from './shapes.ts';

/**
 * When Atlas may take primaries down for maintenance. `dayOfWeek` counts from Sunday = 1, unlike everything else that
 * counts weekdays; the hours are those of `timeZoneId`, which only people can change. Role: Project Read Only.
 */
export const getGroupMaintenanceWindow = operation({
  id: 'getGroupMaintenanceWindow',
  summary: 'The maintenance window of a project',
  method: 'GET',
  path: '/api/atlas/v2/groups/{groupId}/maintenanceWindow',
  version: '2023-01-01',
  repeat: 'safe',
  params: z.strictObject({ groupId: GroupId }),
  response: z.object({
    /** 1 is Sunday, 7 Saturday. */
    dayOfWeek: Long.nullish(),
    hourOfDay: Long.nullish(),
    timeZoneId: z.string().nullish(),
    autoDeferOnceEnabled: z.boolean().nullish(),
    numberOfDeferrals: Long.nullish(),
    startASAP: z.boolean().nullish(),
    /** Hours in which no maintenance begins. */
    protectedHours: z.object({ startHourOfDay: Long.nullish(), endHourOfDay: Long.nullish() }).nullish(),
  }),
});
