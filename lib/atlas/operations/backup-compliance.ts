import * as z from 'zod';
import { operation } from './define.ts';
import { BackupPolicyItem, GroupId, Instant, Long, Nothing, ObjectId, openEnum } from './shapes.ts';

/**
 * The floor under every dedicated cluster's backup schedule in a project. Of a policy item that is not hourly,
 * `frequencyInterval` counts for nothing.
 */
export const BackupCompliancePolicy = z.object({
  projectId: ObjectId.nullish(),
  state: openEnum('ACTIVE', 'ENABLING', 'UPDATING', 'DISABLING').nullish(),
  authorizedEmail: z.string().nullish(),
  authorizedUserFirstName: z.string().nullish(),
  authorizedUserLastName: z.string().nullish(),
  copyProtectionEnabled: z.boolean().nullish(),
  encryptionAtRestEnabled: z.boolean().nullish(),
  pitEnabled: z.boolean().nullish(),
  /** 0 where continuous backup is not asked for. */
  restoreWindowDays: Long.nullish(),
  onDemandPolicyItem: BackupPolicyItem.nullish(),
  scheduledPolicyItems: z.array(BackupPolicyItem).nullish(),
  /** Whether support has released the policy for deletion. */
  deletable: z.boolean().nullish(),
  updatedDate: Instant.nullish(),
  /** An e-mail address, or the public key of an API key. */
  updatedUser: z.string().nullish(),
});
export type BackupCompliancePolicy = z.output<typeof BackupCompliancePolicy>;

const group = z.strictObject({ groupId: GroupId });

/**
 * What a project without a policy answers is not documented: expect an error as well as a policy without items.
 * Role: Project Owner, although it only reads; Project Read Only is not enough.
 */
export const getGroupBackupCompliancePolicy = operation({
  id: 'getGroupBackupCompliancePolicy',
  summary: 'The Backup Compliance Policy of a project',
  method: 'GET',
  path: '/api/atlas/v2/groups/{groupId}/backupCompliancePolicy',
  version: '2023-10-01',
  repeat: 'safe',
  params: group,
  response: BackupCompliancePolicy,
});

/**
 * Ends the protection of every backup in the project. Refused until support has made the policy `deletable`, except in
 * an empty project. Takes effect after a while (state DISABLING). A policy ends once, so a
 * repeat is safe. Role: Project Owner.
 */
export const disableGroupBackupCompliancePolicy = operation({
  id: 'disableGroupBackupCompliancePolicy',
  summary: 'Ends the Backup Compliance Policy of a project',
  method: 'DELETE',
  path: '/api/atlas/v2/groups/{groupId}/backupCompliancePolicy',
  version: '2024-11-13',
  repeat: 'safe',
  destructive: true,
  params: group,
  response: Nothing,
});
