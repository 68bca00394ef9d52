import { AtlasRefusal } from '../refusal.ts';
import type { CompliancePolicy } from '../state/compliance.ts';
import { type PolicyItem, retentionMs, type Schedule } from '../state/schedule.ts';
import type { ScheduleChange } from './schedule-request.ts';

const ENDING = 'BACKUP_COMPLIANCE_POLICY';

/** Refuses a schedule that does less than the project's Backup Compliance Policy, or that undoes what it protects. */
export function refuseNonCompliance(
  policy: CompliancePolicy,
  change: ScheduleChange,
  { before, after }: { readonly before: Schedule; readonly after: Schedule },
): void {
  const { scheduledPolicyItems: required, restoreWindowDays, copyProtectionEnabled } = policy;
  if (required.some((item) => !after.items.some((each) => isEnough(each, item)))) {
    const detail = 'The backup policy does not meet the requirements of the Backup Compliance Policy.';
    throw refusal(`BACKUP_POLICY_NOT_MEETING_${ENDING}_REQUIREMENTS`, detail);
  }
  if (after.restoreWindowDays < restoreWindowDays) {
    const detail = 'The restore window cannot be shorter than the Backup Compliance Policy asks for.';
    throw refusal(`CANNOT_DECREASE_PIT_WINDOW_WITH_${ENDING}`, detail);
  }
  const shortens = before.items.some((item) =>
    after.items.some((each) => each.id === item.id && retentionMs(each) < retentionMs(item)),
  );
  if (change.updateSnapshots && shortens) {
    const detail = 'The retention of snapshots cannot be shortened under a Backup Compliance Policy.';
    throw refusal(`CANNOT_DECREASE_SNAPSHOT_RETENTION_WITH_${ENDING}`, detail);
  }
  const deletesCopies = change.deleteCopySnapshots || (change.deleteCopiedBackups ?? []).length > 0;
  if (change.deleteSnapshots || (deletesCopies && copyProtectionEnabled)) {
    const detail = 'Snapshots cannot be deleted under a Backup Compliance Policy.';
    throw refusal(`CANNOT_DELETE_SNAPSHOT_WITH_${ENDING}`, detail);
  }
}

/** Intervals count for hourly items only, where a smaller one is more. */
function isEnough(item: PolicyItem, required: PolicyItem): boolean {
  return (
    item.frequencyType === required.frequencyType &&
    retentionMs(item) >= retentionMs(required) &&
    (item.frequencyType !== 'hourly' || item.frequencyInterval <= required.frequencyInterval)
  );
}

function refusal(errorCode: string, detail: string): AtlasRefusal {
  return new AtlasRefusal(400, errorCode, detail);
}
