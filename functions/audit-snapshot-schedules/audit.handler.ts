/**
 * Audits the backups of every cluster of an organization against the backup policy, and writes a report.
 * Trigger: daily. Effects: reports in the bucket, findings that opened or closed on the bus, what is needed to go on in
 * the state; Atlas is only read. Safe to run again at any time: a run that stopped is gone on with, and a finished one is
 * compared with. `{ "dryRun": true }` writes nothing, `{ "action": "explain", "cluster": "<project>/<cluster>" }` says what
 * the policy asks of one cluster and why.
 */
import { defineHandler } from '../../lib/runtime/handler.ts';
import { auditOrganizations } from './audit.ts';
import { AuditEvent, Config, Settings } from './contract.ts';
import { auditChunk, mergeChunks, planRuns } from './distributed.ts';
import { explainCluster } from './explain.ts';
import { createServices } from './services.ts';

export const handler = defineHandler({
  name: 'audit-snapshot-schedules',
  config: Config,
  settings: Settings,
  event: AuditEvent,
  services: (config, { audit }) => createServices(config, audit),

  run: async (request, { services, settings: { audit: settings }, log, metrics, deadline, clock }) => {
    const auditing = { services, settings, log, metrics, deadline, clock };
    switch (request.action) {
      case 'explain':
        return explainCluster(request.cluster, { services, settings, deadline, clock });
      case 'plan':
        return planRuns(request, auditing);
      case 'chunk':
        return auditChunk(request, auditing);
      case 'merge':
        return mergeChunks(request, auditing);
      case 'audit':
        return auditOrganizations(request, auditing);
    }
  },
});
