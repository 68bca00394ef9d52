import { clusterRule, fail, pass, unknown, unread } from './rule.ts';

export const survivesDeletion = clusterRule({
  id: 'BK-17',
  title: 'Backups survive the deletion of their cluster',
  severity: 'medium',
  motive:
    'Terminating a cluster deletes its snapshots at once, unless they are retained or a compliance policy guards them.',
  evidence: 'terminationProtectionEnabled and retainBackups of the cluster, and the compliance policy of its project',
  remedy:
    'Switch termination protection on, and either retain backups on termination or set a Backup Compliance Policy.',
  kinds: ['dedicated'],
  about: 'backup',
  judge({ terminationProtection, retainBackups, project: { compliance } }, { options: { keptAfterDeletion } }) {
    const state = compliance.known ? (compliance.value?.state ?? null) : null;
    const evidence = { terminationProtectionEnabled: terminationProtection, retainBackups, compliancePolicy: state };
    if (terminationProtection === false) return fail('the cluster can be terminated in one step', evidence);
    const isGuarded = state === 'ACTIVE' || state === 'UPDATING';
    const isKept = !keptAfterDeletion || retainBackups === true || isGuarded;
    if (!isKept && retainBackups === false && compliance.known) {
      return fail('its snapshots are deleted together with it', evidence);
    }
    if (terminationProtection === null) return unknown('Atlas does not say whether it is protected', evidence);
    if (isKept) return pass('protected, and its backups are kept', evidence);
    return compliance.known ? unknown('Atlas does not say whether backups are retained', evidence) : unread(compliance);
  },
});
