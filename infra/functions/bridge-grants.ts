import type { IEventBus } from 'aws-cdk-lib/aws-events';
import type { IRole } from 'aws-cdk-lib/aws-iam';
import { secretsOf } from '../../lib/tickets/destination.ts';
import type { OpsFoundation, OpsFunction } from '../constructs/ops-function.ts';
import type { DataStack } from '../data-stack.ts';
import type { Settings } from '../settings.ts';
import { grantSecretValues, grantState, type ReadSecret } from './grants.ts';

/** What the functions that write tickets stand on. */
export interface BridgeProps {
  readonly foundation: OpsFoundation;
  readonly atlasBaseUrl: string;
  readonly eventBus: IEventBus;
  readonly tickets: Settings['tickets'];
  /** Project Alerts Manager, to acknowledge alerts; without one nothing is enriched, confirmed or acknowledged. */
  readonly credentials: ReadSecret | undefined;
  readonly data: DataStack;
  readonly concurrency: Settings['concurrency'];
  /** From which addresses webhooks may come. */
  readonly allowFrom: Settings['webhooks']['allowFrom'];
  /** Alarms when a ticket took longer than this, in seconds. */
  readonly ticketAfterSeconds: number;
}

export const RUNBOOK = 'functions/bridge-alerts-to-tickets/README.md';

/** Of the state table: what bringing a ticket on reads and writes, which all three do. */
const DRIVING = [
  'audit#*',
  'cluster-names',
  'dead#*',
  'destination',
  'due#*',
  'incident#*',
  'neighbours#*',
  'ticket#*',
];

/** What hearing of an alert, or of a trouble of the bundle's own, reads and writes besides. */
export const HEARING = ['alert#*', 'alert-projects', 'open#*', 'own-troubles'];

/** The environment of the three functions that write tickets. */
export const environmentOf = ({ atlasBaseUrl, eventBus, credentials, data }: BridgeProps) => ({
  MONGODB_ATLAS_BASE_URL: atlasBaseUrl,
  EVENT_BUS: eventBus.eventBusName,
  STATE_TABLE: data.table.tableName,
  ATLAS_CREDENTIALS_SECRET: credentials?.secret,
});

/** Incidents and `besides`, partitions of this function; the trackers' secrets, and the account that acknowledges alerts. */
export function grantBridge(
  role: IRole,
  { data, tickets, credentials }: BridgeProps,
  besides: readonly string[] = [],
): void {
  grantState(role, data, { write: [...DRIVING, ...besides] });
  grantSecretValues(role, [
    ...tickets.destinations.flatMap((destination) => secretsOf(destination)).map((secret) => ({ secret })),
    ...(credentials ? [credentials] : []),
  ]);
}

/** What a tracker, or Atlas, refuses until a person mends something: told once an incident meets it. */
export function alarmOnRefusals({ ops }: { readonly ops: Pick<OpsFunction<object>, 'alarmOn'> }): void {
  ops.alarmOn('DestinationsStopped', 'is refused by a tracker: its credentials or its place');
  ops.alarmOn('TicketsGivenUp', 'made a ticket its tracker will never take');
  ops.alarmOn('AcknowledgementsRefused', 'may not acknowledge alerts in Atlas');
}
