import { clusterRule, fail, pass, unknown } from './rule.ts';

export const backupEnabled = clusterRule({
  id: 'BK-01',
  title: 'Cloud Backup is on',
  severity: 'critical',
  motive: 'Without backup there is nothing to restore. AWS Backup Audit Manager asks the same of every resource.',
  evidence: 'backupEnabled of the cluster',
  remedy: 'Switch Cloud Backup on for the cluster, or tag it as a development cluster if it holds nothing to keep.',
  kinds: ['dedicated'],
  about: 'cluster',
  judge({ backupEnabled: enabled, schedule }) {
    const evidence = { backupEnabled: enabled };
    if (enabled === false) return fail('backup is off', evidence);
    if (enabled === null) return unknown('Atlas does not say whether backup is on', evidence);
    const legacy = schedule.known && schedule.value?.legacy === true;
    return pass(legacy ? 'backup is on, as Legacy Backup' : 'backup is on', { ...evidence, legacy });
  },
});
