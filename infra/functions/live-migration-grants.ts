import { Stack } from 'aws-cdk-lib';
import type { IEventBus } from 'aws-cdk-lib/aws-events';
import { type IRole, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { IN_USE_TAG, type MigrationSettings } from '../../functions/start-live-migration/contract.ts';
import type { OpsFoundation } from '../constructs/ops-function.ts';
import type { DataStack } from '../data-stack.ts';
import { arnOf, SecretReference } from '../secret-reference.ts';
import { grantReports, grantState, type ReadSecret } from './grants.ts';

/** What both functions of the live migration stand on. */
export interface LiveMigrationProps {
  readonly foundation: OpsFoundation;
  readonly atlasBaseUrl: string;
  readonly eventBus: IEventBus;
  readonly migration: MigrationSettings;
  /** An account of its own: Organization Owner. */
  readonly credentials: ReadSecret;
  /** Secrets a request may name: sources' credentials and URIs. Nothing else can be read for a request. */
  readonly sourceSecrets: readonly ReadSecret[];
  readonly data: DataStack;
}

export const FAILURE_IMPACT =
  'live migrations are not looked after: nobody is told when one is ready, and Atlas gives it up 120 hours later.';
export const RUNBOOK = 'functions/start-live-migration/README.md';

/** The environment of both functions. */
export const environmentOf = ({ atlasBaseUrl, eventBus, credentials, data }: LiveMigrationProps) => ({
  MONGODB_ATLAS_BASE_URL: atlasBaseUrl,
  EVENT_BUS: eventBus.eventBusName,
  STATE_TABLE: data.table.tableName,
  REPORT_BUCKET: data.reports.bucketName,
  ATLAS_CREDENTIALS_SECRET: credentials.secret,
});

/** State, pages and events of the live migration, for whichever of its functions. */
export function grantMigration(role: IRole, { data, eventBus, sourceSecrets }: LiveMigrationProps): void {
  grantState(role, data, { read: ['freshest-snapshot'], write: ['migration', 'migration-*'] });
  grantReports(role, data, { write: ['migrations/'] });
  eventBus.grantPutEventsTo(role);
  if (sourceSecrets.length === 0) return;
  // Whether a source's credentials are about to rotate, or were; and the mark that they are in use, of that key alone.
  const stack = Stack.of(role);
  const resources = sourceSecrets.map(({ secret }) => arnOf(stack, SecretReference.parse(secret)));
  role.addToPrincipalPolicy(new PolicyStatement({ actions: ['secretsmanager:DescribeSecret'], resources }));
  role.addToPrincipalPolicy(
    new PolicyStatement({
      actions: ['secretsmanager:TagResource', 'secretsmanager:UntagResource'],
      resources,
      conditions: { 'ForAllValues:StringEquals': { 'aws:TagKeys': [IN_USE_TAG] } },
    }),
  );
}
