/** What a role may do that no recorded call needed, and why it is granted all the same. One entry per kind of grant. */
interface Exception {
  /** Of the grant in words: function | action | thing | condition. */
  readonly grant: RegExp;
  readonly because: string;
}

export const exceptions: readonly Exception[] = [
  {
    grant: /^[\w-]+ \| (logs:CreateLogStream|logs:PutLogEvents|xray:PutTelemetryRecords|xray:PutTraceSegments) \| /,
    because: 'Lambda itself writes logs and traces as the role of the function; no code of it does.',
  },
  {
    grant: /^[\w-]+ \| sqs:SendMessage \| \w+OpsDeadLetters\w+\.Arn$/,
    because: 'Lambda itself puts what it gave up into the function’s dead letters, as its role.',
  },
  {
    grant:
      /^deliver-tickets \| sqs:(ReceiveMessage|DeleteMessage|ChangeMessageVisibility|GetQueueAttributes|GetQueueUrl) \| atlas-automation-alerts\.fifo$/,
    because: 'Lambda itself polls the queue of its trigger as the role of the function.',
  },
  {
    grant: /^[\w-]+ \| kms:(\w+) \| the own key \| kms:ViaService (dynamodb|s3|sqs)\.us-east-1\.amazonaws\.com$/,
    because: 'DynamoDB, S3 and SQS ask KMS in the name of their caller; the embedded services encrypt nothing.',
  },
  {
    grant: /^audit-snapshot-schedules \| s3:AbortMultipartUpload \| atlas-automation-reports\/audits\/\*$/,
    because: 'Takes back a report of many megabytes whose last part failed: test/lib/aws/report-streams.test.ts.',
  },
  {
    grant: /^audit-snapshot-schedules \| securityhub:BatchImportFindings \| Security Hub$/,
    because:
      'Security Hub is embedded apart from the other services: test/functions/audit-snapshot-schedules/outputs/security-hub.test.ts.',
  },
  {
    grant:
      /^(deliver-tickets|reconcile-alerts|receive-ticket-update) \| dynamodb(: reads|:PutItem) \| table\/atlas-automation \| dynamodb:LeadingKeys (audit#\*|cluster-names|dead#\*|due#\*|neighbours#\*|ticket#\*)$/,
    because:
      'The three bring tickets on with one code: which of them meets a case first is chance, and was not all met.',
  },
  {
    grant:
      /^(deliver-tickets|reconcile-alerts) \| dynamodb(: reads|:PutItem) \| table\/atlas-automation \| dynamodb:LeadingKeys (alert-projects|open#\*|own-troubles)$/,
    because: 'The two hear of alerts and of the bundle’s own troubles with one code, and chance is the same.',
  },
  {
    grant:
      /^(rotate|sweep)-service-account-secrets? \| kms:(Decrypt|GenerateDataKey) \| a key of secrets \| kms:EncryptionContext:SecretARN /,
    because: 'The same code as for a managed secret, whose calls under such a key were recorded of the rotation.',
  },
  {
    grant:
      /^sweep-service-account-secrets \| kms:(Decrypt|Encrypt) \| a key of secrets \| kms:EncryptionContext:PARAMETER_ARN /,
    because: 'Parameter Store asks in the name of its caller; the parameters of the tests lie under AWS’s own key.',
  },
  {
    grant: /^deliver-tickets \| kms:Decrypt \| the own key$/,
    because: 'Lambda itself polls the queue of its trigger, and decrypts what lies in it, as the role of the function.',
  },
  {
    grant: /^command-live-migration \| secretsmanager:GetSecretValue \| Cloud Manager$/,
    because: 'Read where a source is managed by Cloud Manager; no migration of the tests comes from there.',
  },
  {
    grant:
      /^(command-live-migration \| secretsmanager:UntagResource|watch-live-migrations \| secretsmanager:TagResource) \| a source \| /,
    because:
      'Whichever of the two carries a migration on, or ends it, sets or takes off the mark: functions/start-live-migration/send.ts and release.ts.',
  },
  {
    grant: /^sweep-service-account-secrets \| secretsmanager:(DescribeSecret|UpdateSecretVersionStage) \| a copy$/,
    because:
      'Moves the label of a copy whose writer died between its two calls: lib/fan-out/secrets-manager-target.ts.',
  },
];
