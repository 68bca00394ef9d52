import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type * as z from 'zod';
import type { Config } from '../../functions/start-live-migration/contract.ts';
import { OpsFunction } from '../constructs/ops-function.ts';
import { grantSecretValues } from './grants.ts';
import { environmentOf, grantMigration, type LiveMigrationProps, RUNBOOK } from './live-migration-grants.ts';

/**
 * Trigger: people, by `lambda:InvokeFunction`; who may invoke it may start migrations and approve cutovers.
 * May: read its own credentials and the sources' secrets, keep state and pages, put events on the bus.
 */
export class CommandLiveMigration extends Construct {
  readonly ops: OpsFunction<z.input<typeof Config>>;

  constructor(scope: Construct, id: string, props: LiveMigrationProps) {
    super(scope, id);
    const { foundation, migration, credentials, sourceSecrets } = props;
    this.ops = new OpsFunction<z.input<typeof Config>>(this, 'Ops', {
      foundation,
      lambda: 'command-live-migration',
      purpose: 'Plans live migrations, starts them once, and takes people’s decisions about them',
      failureImpact: 'a live migration could not be planned, started or decided about.',
      runbook: RUNBOOK,
      environment: environmentOf(props),
      settings: { migration },
      timeout: Duration.minutes(2),
    });
    grantMigration(this.ops.role, props);
    const { cloudManagerCredentialsSecret: cloudManager } = migration;
    grantSecretValues(this.ops.role, [
      credentials,
      ...sourceSecrets,
      ...(cloudManager === undefined ? [] : [{ secret: cloudManager }]),
    ]);
  }
}
