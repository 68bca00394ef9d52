import type { Logger } from '@aws-lambda-powertools/logger';
import type { AtlasClient } from '../../lib/atlas/client.ts';
import type { Events } from '../../lib/aws/events.ts';
import type { Reports } from '../../lib/aws/reports.ts';
import type { SecretsManager } from '../../lib/aws/secrets-manager.ts';
import type { State } from '../../lib/aws/state.ts';
import { SERVICE_ACCOUNT_CLASS_CHANGED, ServiceAccountClassChanged } from '../../lib/events/fleet.ts';
import type { Deadline } from '../../lib/runtime/deadline.ts';
import type { RotationSettings } from './contract.ts';
import { classify, countFleet } from './fleet-classify.ts';
import { discover } from './fleet-discover.ts';
import { administratorsOf, joinManaged } from './fleet-join.ts';
import { changesSince, withoutMemory } from './fleet-memory.ts';
import { FleetReport } from './fleet-report.ts';
import { eachOf } from './fleet-spread.ts';

/** Events put on the bus side by side. */
const TELL_AT_ONCE = 8;

export interface FleetStep {
  /** Atlas as the automation itself. */
  readonly atlas: AtlasClient;
  /** Where its credentials come from. */
  readonly credentialsSecret: string;
  readonly secretsManager: SecretsManager;
  readonly events: Events;
  /** Without it nothing is remembered from one look to the next. */
  readonly state: State | undefined;
  readonly reports: Reports | undefined;
  readonly settings: RotationSettings;
  readonly log: Logger;
  readonly deadline: Deadline;
}

/** Reads the whole fleet and judges it. Writes nothing. */
export async function lookAtFleet(step: Omit<FleetStep, 'events' | 'state' | 'reports' | 'log'>): Promise<FleetReport> {
  const { atlas, credentialsSecret, secretsManager, settings, deadline } = step;
  const [discovered, { administrators, unreadable: unreadableAdministrators }] = await Promise.all([
    discover(atlas, deadline),
    administratorsOf(settings, credentialsSecret, secretsManager, deadline),
  ]);
  const { managed, unreadable } = await joinManaged(settings, discovered, secretsManager, deadline);
  const { organizations, projects } = discovered.coverage;
  const complete =
    organizations.unreadable.length +
      projects.unreadable.length +
      unreadable.length +
      unreadableAdministrators.length ===
    0;
  const everySeen = organizations.unreadable.length + projects.unreadable.length === 0;
  const { accounts, managedSecrets } = classify(
    { accounts: discovered.accounts, managed, complete: everySeen, administrators },
    settings.fleet,
    discovered.at,
  );
  return FleetReport.parse({
    version: 1,
    at: discovered.at.toISOString(),
    complete,
    coverage: {
      organizations,
      projects,
      managedSecrets: { seen: managed.length, read: managed.length - unreadable.length, unreadable: [...unreadable] },
      administrators: { unreadable: [...unreadableAdministrators] },
    },
    counts: countFleet(accounts, managedSecrets),
    accounts,
    managedSecrets,
  });
}

/**
 * The look of the day: tells what changed, keeps the report, and answers it. A dry run only answers. Safe to repeat: what
 * was told and remembered is not told again.
 */
export async function reportFleet(step: FleetStep, dryRun: boolean): Promise<FleetReport> {
  const { events, state, reports, log, deadline } = step;
  const report = await lookAtFleet(step);
  const { counts, complete, coverage } = report;
  log.info('looked at the service accounts', { facts: { counts, complete } });
  if (!complete) log.warn('not all of the fleet could be read', { facts: { coverage } });
  if (dryRun) return report;
  await reports?.put(`fleet/${report.at.slice(0, 10)}.json`, JSON.stringify(report), 'application/json', deadline);
  const changes = state ? await changesSince(state, report, deadline) : withoutMemory(report);
  await eachOf(changes, TELL_AT_ONCE, async ({ event, remember }) => {
    const detail = ServiceAccountClassChanged.parse(event);
    const told = await events.publish({ detailType: SERVICE_ACCOUNT_CLASS_CHANGED, detail }, deadline);
    if (!told) log.warn('there is no EventBridge here: nobody was told', { facts: { clientId: event.clientId } });
    await remember?.(deadline);
  });
  return report;
}
