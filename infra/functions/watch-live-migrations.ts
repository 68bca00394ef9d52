import { Duration } from 'aws-cdk-lib';
import { ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import type * as z from 'zod';
import type { Config } from '../../functions/start-live-migration/contract.ts';
import { OpsFunction } from '../constructs/ops-function.ts';
import { grantSecretValues } from './grants.ts';
import {
  environmentOf,
  FAILURE_IMPACT,
  grantMigration,
  type LiveMigrationProps,
  RUNBOOK,
} from './live-migration-grants.ts';

/**
 * Trigger: every minute. May: read its own credentials, keep state and pages, put events on the bus.
 * Its alarm on silence stands outside the migrated project, whose host alerts are off meanwhile.
 */
export class WatchLiveMigrations extends Construct {
  readonly ops: OpsFunction<z.input<typeof Config>>;

  constructor(scope: Construct, id: string, props: LiveMigrationProps) {
    super(scope, id);
    const { foundation, migration, credentials, sourceSecrets } = props;
    this.ops = new OpsFunction<z.input<typeof Config>>(this, 'Ops', {
      foundation,
      lambda: 'watch-live-migrations',
      purpose: 'Looks after live migrations until they are done',
      failureImpact: FAILURE_IMPACT,
      runbook: RUNBOOK,
      environment: environmentOf(props),
      settings: { migration },
      // A tick waits for what falls due before the next one.
      timeout: Duration.minutes(2),
    });
    grantMigration(this.ops.role, props);
    // An approved cutover looks once more whether anybody still writes to the source.
    grantSecretValues(this.ops.role, [credentials, ...sourceSecrets]);
    this.ops.runBySchedule('EveryMinute', {
      description: 'Looks after every live migration that is due',
      expression: 'rate(1 minute)',
      // A tick that fails is made up for by the next one.
      retries: 0,
      maxAge: Duration.minutes(1),
    });
    this.ops.alarm(
      'NotLooking',
      this.ops.fn.metricInvocations({ period: Duration.minutes(15) }),
      'did not run for 15 minutes',
      { comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD, treatMissingData: TreatMissingData.BREACHING },
    );
  }
}
