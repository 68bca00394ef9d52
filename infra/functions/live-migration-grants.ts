import type { IEventBus } from 'aws-cdk-lib/aws-events';
import type { IRole } from 'aws-cdk-lib/aws-iam';
import type { MigrationSettings } from '../../functions/start-live-migration/contract.ts';
import type { OpsFoundation } from '../constructs/ops-function.ts';
import type { DataStack } from '../data-stack.ts';
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

/** State, pages and events of the live migration, for whichever of its functions. */
export function grantMigration(role: IRole, { data, eventBus }: LiveMigrationProps): void {
  grantState(role, data, { read: ['freshest-snapshot'], write: ['migration', 'migration-*'] });
  grantReports(role, data, { write: ['migrations/'] });
  eventBus.grantPutEventsTo(role);
}
