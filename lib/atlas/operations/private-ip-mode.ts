import * as z from 'zod';
import { operation } from './define.ts';
import { GroupId } from './shapes.ts';

export const PrivateIpMode = z.object({ enabled: z.boolean() });

/**
 * Turns off "Connect via Peering Only", which Atlas has deprecated: connection strings then name public addresses too,
 * and there is no way back to it. So `false` is all it takes. 400 NOT_IN_PRIVATE_IP_MODE where it was never on. A
 * repeat says the same again. Deprecated, without an end date. Role: Project Owner.
 */
export const disableGroupPrivateIpModePeering = operation({
  id: 'disableGroupPrivateIpModePeering',
  summary: 'Turns off the deprecated Connect via Peering Only mode of a project',
  method: 'PATCH',
  path: '/api/atlas/v2/groups/{groupId}/privateIpMode',
  version: '2023-01-01',
  repeat: 'safe',
  destructive: true,
  params: z.strictObject({ groupId: GroupId }),
  body: z.strictObject({ enabled: z.literal(false) }),
  response: PrivateIpMode,
});
