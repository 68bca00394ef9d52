import { timestamp } from '../date.ts';
import { inGroup, type Operation } from '../operation.ts';
import { paginate } from '../pagination.ts';
import type { Export, Restore } from '../state/backup-jobs.ts';
import { backedUpCluster } from './cluster-lookup.ts';

const level: Pick<Operation, 'versions' | 'endpointSet' | 'method'> & { readonly role: 'Project Read Only' } = {
  versions: ['2023-01-01'],
  endpointSet: 'cloudBackups',
  method: 'GET',
  role: 'Project Read Only',
};

/** Restores and exports of dedicated clusters: part of Atlas, and not of the document the others are held against. */
export const backupJobOperations = [
  inGroup({
    ...level,
    operationId: 'listGroupClusterBackupRestoreJobs',
    path: '/groups/{groupId}/clusters/{clusterName}/backup/restoreJobs',
    handle(call, project) {
      const cluster = backedUpCluster(call, project);
      return { status: 200, body: paginate(call.url, call.world.backupJobs.restores(cluster), restoreView) };
    },
  }),
  inGroup({
    ...level,
    operationId: 'listGroupClusterBackupExports',
    path: '/groups/{groupId}/clusters/{clusterName}/backup/exports',
    handle(call, project) {
      const cluster = backedUpCluster(call, project);
      return { status: 200, body: paginate(call.url, call.world.backupJobs.exports(cluster), exportView) };
    },
  }),
];

const restoreView = ({ target, finishedAt, ...job }: Restore): object => ({
  ...job,
  expired: false,
  ...(finishedAt && { finishedAt: timestamp(finishedAt) }),
  links: [],
  ...(target && { targetClusterName: target.name, targetGroupId: target.groupId }),
});

const exportView = ({ createdAt, finishedAt, ...job }: Export): object => ({
  ...job,
  createdAt: timestamp(createdAt),
  ...(finishedAt && { finishedAt: timestamp(finishedAt) }),
  links: [],
});
