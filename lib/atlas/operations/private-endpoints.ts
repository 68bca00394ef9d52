import * as z from 'zod';
import { operation } from './define.ts';
import { CloudProvider, GroupId, ObjectId, openEnum } from './shapes.ts';

/** The service at a cloud provider that private endpoints connect to, and the endpoints that do. */
export const PrivateEndpointService = z.object({
  id: ObjectId,
  cloudProvider: CloudProvider.nullish(),
  regionName: z.string().nullish(),
  status: openEnum('INITIATING', 'WAITING_FOR_USER', 'AVAILABLE', 'FAILED', 'DELETING').nullish(),
  errorMessage: z.string().nullish(),
  /** AWS: ids of interface endpoints. */
  interfaceEndpoints: z.array(z.string()).nullish(),
  /** Azure: resource ids of private endpoints. */
  privateEndpoints: z.array(z.string()).nullish(),
  /** Google Cloud: names of endpoint groups. */
  endpointGroupNames: z.array(z.string()).nullish(),
});
export type PrivateEndpointService = z.output<typeof PrivateEndpointService>;

/** Source: https://www.mongodb.com/docs/api/doc/atlas-admin-api-v2/operation/operation-listgroupprivateendpointendpointservice. Not paginated. Role: Project Read Only. */
export const listGroupPrivateEndpointEndpointService = operation({
  id: 'listGroupPrivateEndpointEndpointService',
  summary: 'The private endpoint services of a project at one provider',
  method: 'GET',
  path: '/api/atlas/v2/groups/{groupId}/privateEndpoint/{cloudProvider}/endpointService',
  version: '2023-01-01',
  repeat: 'safe',
  params: z.strictObject({
    groupId: GroupId,
    cloudProvider: z.enum(['AWS', 'AZURE', 'GCP']).describe('the provider of the endpoints'),
  }),
  response: z.array(PrivateEndpointService),
});

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
