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
import { explainCluster } from './explain.ts';
import { createServices } from './services.ts';

export const handler = defineHandler({
  name: 'audit-snapshot-schedules',
  config: Config,
  settings: Settings,
  event: AuditEvent,
  services: (config, { audit }) => createServices(config, audit),

  run: async (request, { services, settings: { audit }, log, metrics, deadline, clock }) =>
    request.action === 'explain'
      ? explainCluster(request.cluster, { services, settings: audit, deadline, clock })
      : auditOrganizations(request, { services, settings: audit, log, metrics, deadline, clock }),
});
