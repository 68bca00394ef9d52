import { clusterRule, fail } from './rule.ts';

export const freeCluster = clusterRule({
  id: 'BK-22',
  title: 'No free cluster holds anything that matters',
  severity: 'high',
  motive: 'An M0 cluster has no backups at all.',
  evidence: 'instance size of the cluster',
  remedy: 'Move it to a Flex or a dedicated cluster, or tag it as a development cluster.',
  kinds: ['free'],
  about: 'cluster',
  judge: ({ instanceSize }, { policy }) =>
    fail(`a free cluster in tier ${policy.tier} has no backups`, { instanceSize, tier: policy.tier }),
});
