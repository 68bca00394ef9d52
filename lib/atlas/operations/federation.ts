import * as z from 'zod';
import { operation } from './define.ts';
import { idOf, Nothing, OrgId } from './shapes.ts';

/**
 * Deletes the mapping of one group of the identity provider to Atlas roles: its members lose those roles when they next
 * sign in, the caller's own people included. 404 when it is already gone, so a repeat is harmless.
 * Role: Organization Owner.
 */
export const deleteFederationSettingConnectedOrgConfigRoleMapping = operation({
  id: 'deleteFederationSettingConnectedOrgConfigRoleMapping',
  summary: 'Deletes the role mapping of a group of the identity provider in an organization',
  method: 'DELETE',
  path: '/api/atlas/v2/federationSettings/{federationSettingsId}/connectedOrgConfigs/{orgId}/roleMappings/{id}',
  version: '2023-01-01',
  repeat: 'safe',
  destructive: true,
  params: z.strictObject({
    federationSettingsId: idOf('the federation settings’ id'),
    orgId: OrgId,
    id: idOf('the role mapping’s id'),
  }),
  response: Nothing,
});
