/**
 * Raises backup schedules to what the policy asks for, in two steps: `{ "action": "plan", "requestedBy": … }` says what
 * would be changed and answers a digest, `{ "action": "apply", "planDigest": …, "approvedBy": … }` carries exactly that
 * out. Trigger: by hand. Effects: PATCH of backup schedules, which only ever asks for more; a Backup Compliance Policy is
 * never touched. Both steps are safe to repeat.
 */
import { defineHandler } from '../../lib/runtime/handler.ts';
import { Config, RemediateEvent, Settings } from './contract.ts';
import { remediate } from './remediation/remediate.ts';
import { createServices } from './services.ts';

export const handler = defineHandler({
  name: 'remediate-snapshot-schedules',
  config: Config,
  settings: Settings,
  event: RemediateEvent,
  services: (config, { audit }) => createServices(config, audit),

  run: async (event, { services, settings: { audit }, log, metrics, deadline, clock }) =>
    remediate(event, { services, settings: audit, log, metrics, deadline, clock }),
});
