import { timestamp } from '../date.ts';
import { type Answer, type Call, inGroup } from '../operation.ts';
import { AtlasRefusal } from '../refusal.ts';
import { isDedicated } from '../state/clusters.ts';
import type { Project } from '../world.ts';

const path = '/groups/{groupId}/backupCompliancePolicy';

export const complianceOperations = [
  inGroup({
    operationId: 'getGroupBackupCompliancePolicy',
    method: 'GET',
    path,
    versions: ['2023-01-01', '2023-10-01'],
    endpointSet: 'cloudBackups',
    role: 'Project Owner',
    handle({ world }, project) {
      const policy = world.compliance.of(project.id);
      if (!policy) throw policyNotFound(project);
      const { authorizedEmail, copyProtectionEnabled, deletable, encryptionAtRestEnabled, state } = policy;
      return {
        status: 200,
        body: {
          authorizedEmail,
          authorizedUserFirstName: policy.authorizedUserFirstName,
          authorizedUserLastName: policy.authorizedUserLastName,
          copyProtectionEnabled,
          deletable,
          encryptionAtRestEnabled,
          onDemandPolicyItem: policy.onDemandPolicyItem,
          pitEnabled: policy.pitEnabled,
          projectId: project.id,
          restoreWindowDays: policy.restoreWindowDays,
          scheduledPolicyItems: policy.scheduledPolicyItems,
          state,
          updatedDate: timestamp(policy.updatedAt),
          updatedUser: policy.updatedUser,
        },
      };
    },
  }),
  inGroup({
    operationId: 'disableGroupBackupCompliancePolicy',
    method: 'DELETE',
    path,
    versions: ['2024-11-13'],
    endpointSet: 'cloudBackups',
    role: 'Project Owner',
    handle: disable,
  }),
];

/** Support has to agree first, unless the project holds nothing the policy would protect. */
function disable({ world }: Call, project: Project): Answer {
  const policy = world.compliance.of(project.id);
  if (!policy) throw policyNotFound(project);
  const isEmpty = !world.clusters.withRetainedBackups(project.id).some(isDedicated);
  if (!policy.deletable && !isEmpty) {
    const detail = 'The Backup Compliance Policy can only be disabled once MongoDB Support has approved it.';
    throw new AtlasRefusal(400, 'BACKUP_COMPLIANCE_POLICY_SETTINGS_INVALID', detail, [project.id]);
  }
  world.compliance.disable(project.id);
  return { status: 204 };
}

function policyNotFound({ id }: Project): AtlasRefusal {
  const detail = `No Backup Compliance Policy exists for group ${id}.`;
  return new AtlasRefusal(404, 'BACKUP_COMPLIANCE_POLICY_NOT_FOUND', detail, [id]);
}
