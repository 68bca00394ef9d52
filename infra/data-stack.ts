import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { AttributeType, BillingMode, Table, TableEncryption } from 'aws-cdk-lib/aws-dynamodb';
import { type IKey, Key } from 'aws-cdk-lib/aws-kms';
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectLockRetention, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import { DeduplicationScope, FifoThroughputLimit, Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { ALERT_QUEUE } from './alert-queue.ts';
import { accept } from './constructs/accepted.ts';
import type { DataSettings } from './data-settings.ts';
import type { Settings } from './settings.ts';

export interface DataStackProps {
  /** Of the stack this one belongs to. */
  readonly stack: Settings['stack'];
  readonly data: DataSettings;
}

/**
 * What outlives every deployment of the functions: their state, the reports, and the alerts on their way. Apart from
 * the functions, so that these can be torn down and deployed again without it. The table and the bucket are kept when
 * the stack goes, and the stack itself refuses to go until its protection is taken off.
 */
export class DataStack extends Stack {
  /** Keys `pk` and `sk`; `expiresAt` ends an item. */
  readonly table: Table;
  readonly reports: Bucket;
  readonly alerts: Queue;
  /** Alerts that could not be delivered however often they were tried. */
  readonly alertDeadLetters: Queue;
  /** What all of it is encrypted with, where that is not a key of AWS's own. */
  readonly key: IKey | undefined;

  constructor(scope: Construct, id: string, { stack, data }: DataStackProps) {
    const { name, account, region, tags } = stack;
    super(scope, id, {
      stackName: `${name}-data`,
      description: 'Atlas Automation: what its functions remember and report',
      tags,
      terminationProtection: true,
      ...(account !== undefined && region !== undefined && { env: { account, region } }),
    });
    this.key = this.#key(data);

    this.table = new Table(this, 'State', {
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      sortKey: { name: 'sk', type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      timeToLiveAttribute: 'expiresAt',
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: true,
      removalPolicy: RemovalPolicy.RETAIN,
      ...(this.key
        ? { encryption: TableEncryption.CUSTOMER_MANAGED, encryptionKey: this.key }
        : { encryption: TableEncryption.AWS_MANAGED }),
    });
    this.reports = this.#bucket(data.reports);

    const fifo = {
      fifo: true,
      // Without these two a FIFO queue takes 300 messages a second, however many groups they are of.
      fifoThroughputLimit: FifoThroughputLimit.PER_MESSAGE_GROUP_ID,
      deduplicationScope: DeduplicationScope.MESSAGE_GROUP,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
      ...(this.key
        ? { encryption: QueueEncryption.KMS, encryptionMasterKey: this.key }
        : { encryption: QueueEncryption.SQS_MANAGED }),
    };
    this.alertDeadLetters = new Queue(this, 'AlertDeadLetters', fifo);
    this.alerts = new Queue(this, 'Alerts', {
      ...fifo,
      visibilityTimeout: Duration.seconds(ALERT_QUEUE.visibilitySeconds),
      deadLetterQueue: { queue: this.alertDeadLetters, maxReceiveCount: ALERT_QUEUE.maxReceives },
    });
  }

  /**
   * The account's own policies say who may use it, and those of the functions' roles name what by way of which service.
   * The role's side alone would not be enough: a key without a policy for its account answers nobody.
   */
  #key({ kmsKeyArn, ownKey }: DataSettings): IKey | undefined {
    if (kmsKeyArn !== undefined) return Key.fromKeyArn(this, 'Key', kmsKeyArn);
    if (!ownKey) return undefined;
    return new Key(this, 'OwnKey', {
      description: 'What Atlas Automation remembers and reports',
      enableKeyRotation: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
  }

  #bucket({ keepDays, keepReplacedDays, lock, accessLogBucket }: DataSettings['reports']): Bucket {
    const bucket = new Bucket(this, 'Reports', {
      versioned: true,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      removalPolicy: RemovalPolicy.RETAIN,
      lifecycleRules: [
        {
          id: 'end',
          expiration: Duration.days(keepDays),
          noncurrentVersionExpiration: Duration.days(keepReplacedDays),
          abortIncompleteMultipartUploadAfter: Duration.days(7),
        },
      ],
      ...(this.key
        ? { encryption: BucketEncryption.KMS, encryptionKey: this.key, bucketKeyEnabled: true }
        : { encryption: BucketEncryption.S3_MANAGED }),
      ...(lock && {
        objectLockEnabled: true,
        objectLockDefaultRetention:
          lock.mode === 'governance'
            ? ObjectLockRetention.governance(Duration.days(lock.days))
            : ObjectLockRetention.compliance(Duration.days(lock.days)),
      }),
      ...(accessLogBucket !== undefined && {
        serverAccessLogsBucket: Bucket.fromBucketName(this, 'AccessLogs', accessLogBucket),
        serverAccessLogsPrefix: 'atlas-automation-reports/',
      }),
    });
    const [id, reason] =
      accessLogBucket === undefined
        ? [
            'AwsSolutions-S1',
            'Where access is logged to is for the account to say: data.reports.accessLogBucket, or CloudTrail.',
          ]
        : [
            'Annotation::@aws-cdk/aws-s3:accessLogsPolicyNotAdded',
            'The settings ask for a bucket that lets it in already.',
          ];
    accept(accessLogBucket === undefined ? bucket : this, id, reason);
    return bucket;
  }
}
