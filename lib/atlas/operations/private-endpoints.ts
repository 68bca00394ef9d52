import * as z from 'zod';
import { operation } from './define.ts';
import { GroupId } from './shapes.ts';

/**
 * Allows, or no longer allows, several private endpoints per region. Turning it on changes the connection strings of
 * multi-region and global sharded clusters, which may interrupt applications, and rules out replica sets in the
 * project. It can't be turned off while endpoints exist that need it. Answers 202 though the document says 200. A
 * repeat sets the same value again. Role: Project Owner.
 */
export const toggleGroupPrivateEndpointRegionalMode = operation({
  id: 'toggleGroupPrivateEndpointRegionalMode',
  summary: 'Turns several private endpoints per region on or off for a project',
  method: 'PATCH',
  path: '/api/atlas/v2/groups/{groupId}/privateEndpoint/regionalMode',
  version: '2023-01-01',
  repeat: 'safe',
  params: z.strictObject({ groupId: GroupId }),
  body: z.strictObject({ enabled: z.boolean() }),
  response: z.object({ enabled: z.boolean() }),
});
