import * as z from 'zod';
import { operation } from './define.ts';
import { GroupId, Nothing, openEnum } from './shapes.ts';

/** A private endpoint as AWS names it: the only kind these paths take. */
const EndpointId = z
  .string()
  .regex(/^vpce-[0-9a-f]{17}$/, 'must be vpce- and 17 hexadecimal digits')
  .describe('the endpoint as AWS names it (vpce-…)');

const endpoint = z.strictObject({ groupId: GroupId, endpointId: EndpointId });

/** 404 when there is none. Role: Project Read Only. */
export const getGroupPrivateNetworkSettingEndpointId = operation({
  id: 'getGroupPrivateNetworkSettingEndpointId',
  summary: 'One private endpoint for federated databases and online archives of a project',
  method: 'GET',
  path: '/api/atlas/v2/groups/{groupId}/privateNetworkSettings/endpointIds/{endpointId}',
  version: '2023-01-01',
  repeat: 'safe',
  params: endpoint,
  response: z.object({
    endpointId: z.string(),
    provider: openEnum('AWS', 'AZURE').nullish(),
    type: openEnum('DATA_LAKE').nullish(),
    status: openEnum('PENDING', 'OK', 'FAILED', 'DELETING').nullish(),
    errorMessage: z.string().nullish(),
    comment: z.string().nullish(),
    region: z.string().nullish(),
    customerEndpointDNSName: z.string().nullish(),
    customerEndpointIPAddress: z.string().nullish(),
    azureLinkId: z.string().nullish(),
  }),
});

/**
 * Takes the endpoint out of Atlas, not out of AWS: queries through it end at once. 404 when it is already gone, so a
 * repeat is harmless. Role: Project Owner.
 */
export const deleteGroupPrivateNetworkSettingEndpointId = operation({
  id: 'deleteGroupPrivateNetworkSettingEndpointId',
  summary: 'Deletes a private endpoint for federated databases and online archives of a project',
  method: 'DELETE',
  path: '/api/atlas/v2/groups/{groupId}/privateNetworkSettings/endpointIds/{endpointId}',
  version: '2023-01-01',
  repeat: 'safe',
  destructive: true,
  params: endpoint,
  response: Nothing,
});
