import { Stack } from 'aws-cdk-lib';
import { type IRole, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import * as z from 'zod';
import { accept } from '../constructs/accepted.ts';
import type { DataStack } from '../data-stack.ts';
import { arnOf, SecretReference } from '../secret-reference.ts';

/** A secret a function reads, and the customer-managed key it lies under, if there is one. */
export interface ReadSecret {
  readonly secret: string;
  readonly kmsKeyArn?: string | undefined;
}

/** Lets a role read the values of these secrets, and nothing else of them. */
export function grantSecretValues(role: IRole, secrets: readonly ReadSecret[]): void {
  if (secrets.length === 0) return;
  const stack = Stack.of(role);
  const arn = ({ secret }: ReadSecret): string => arnOf(stack, SecretReference.parse(secret));
  role.addToPrincipalPolicy(
    new PolicyStatement({ actions: ['secretsmanager:GetSecretValue'], resources: [...new Set(secrets.map(arn))] }),
  );
  for (const [key, held] of Map.groupBy(secrets, ({ kmsKeyArn }) => kmsKeyArn)) {
    if (key === undefined) continue;
    role.addToPrincipalPolicy(
      new PolicyStatement({
        actions: ['kms:Decrypt'],
        resources: [key],
        conditions: { StringLike: { 'kms:EncryptionContext:SecretARN': held.map(arn) } },
      }),
    );
  }
}

/** What each service asks of who uses data of it under a customer-managed key. */
const KEY_ACTIONS = {
  dynamodb: [
    'kms:Decrypt',
    'kms:DescribeKey',
    'kms:Encrypt',
    'kms:GenerateDataKey',
    'kms:ReEncryptFrom',
    'kms:ReEncryptTo',
  ],
  s3: ['kms:Decrypt', 'kms:GenerateDataKey'],
  sqs: ['kms:Decrypt', 'kms:GenerateDataKey'],
} as const;

/** Lets a role use the deployment's own key where there is one, by way of this service alone. */
export function grantKey(role: IRole, key: IKey | undefined, service: keyof typeof KEY_ACTIONS): void {
  if (!key) return;
  const { region, urlSuffix } = Stack.of(role);
  role.addToPrincipalPolicy(
    new PolicyStatement({
      actions: [...KEY_ACTIONS[service]],
      resources: [key.keyArn],
      conditions: { StringEquals: { 'kms:ViaService': `${service}.${region}.${urlSuffix}` } },
    }),
  );
}

/** Lets a role send to the queue of alerts. */
export function grantSend(role: IRole, { alerts, key }: Pick<DataStack, 'alerts' | 'key'>): void {
  role.addToPrincipalPolicy(new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [alerts.queueArn] }));
  grantKey(role, key, 'sqs');
}

/**
 * Lets a role read, or read and write, the partitions of the state table whose keys look like these: functions share
 * the table, not each other's items. `lib/aws/state.ts` deletes nothing.
 */
export function grantState(
  role: IRole,
  { table, key }: Pick<DataStack, 'table' | 'key'>,
  { read = [], write = [] }: { readonly read?: readonly string[]; readonly write?: readonly string[] },
): void {
  allowItems(role, table, ['dynamodb:GetItem', 'dynamodb:Query'], [...read, ...write]);
  allowItems(role, table, ['dynamodb:PutItem'], write);
  grantKey(role, key, 'dynamodb');
}

/** Lets a role that has `grantState` read many items of these partitions at once. */
export const grantReadAll = (role: IRole, { table }: Pick<DataStack, 'table'>, keys: readonly string[]): void =>
  allowItems(role, table, ['dynamodb:BatchGetItem'], keys);

function allowItems(role: IRole, table: DataStack['table'], actions: string[], keys: readonly string[]): void {
  if (keys.length === 0) return;
  role.addToPrincipalPolicy(
    new PolicyStatement({
      actions,
      resources: [table.tableArn],
      conditions: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': [...keys] } },
    }),
  );
}

/** What stands for the bucket's ARN in another stack. */
export const exportedArn = (reports: Bucket): string => {
  const stack = Stack.of(reports);
  return Imported.parse(stack.resolve(stack.exportValue(reports.bucketArn)))['Fn::ImportValue'];
};
const Imported = z.object({ 'Fn::ImportValue': z.string() });

/**
 * Lets a role write, and where asked read and list, what lies under these prefixes of the report bucket; `inParts` for
 * files that are too large for one piece, and may have to be taken back.
 */
export function grantReports(
  role: IRole,
  { reports, key }: Pick<DataStack, 'reports' | 'key'>,
  {
    write,
    read = [],
    inParts = false,
  }: { readonly write: readonly string[]; readonly read?: readonly string[]; readonly inParts?: boolean },
): void {
  const under = (prefixes: readonly string[]): string[] =>
    prefixes.map((prefix) => {
      const reason = `Reports have names of their own: these are the ones under ${prefix}, in this bucket.`;
      accept(role, `AwsSolutions-IAM5[Resource::${exportedArn(reports)}/${prefix}*]`, reason);
      return reports.arnForObjects(`${prefix}*`);
    });
  role.addToPrincipalPolicy(
    new PolicyStatement({
      actions: ['s3:PutObject', ...(inParts ? ['s3:AbortMultipartUpload'] : [])],
      resources: under(write),
    }),
  );
  grantKey(role, key, 's3');
  if (read.length === 0) return;
  role.addToPrincipalPolicy(new PolicyStatement({ actions: ['s3:GetObject'], resources: under(read) }));
  // Without it, an object that is not there is answered as one that may not be read.
  role.addToPrincipalPolicy(
    new PolicyStatement({
      actions: ['s3:ListBucket'],
      resources: [reports.bucketArn],
      conditions: { StringLike: { 's3:prefix': read.map((prefix) => `${prefix}*`) } },
    }),
  );
}
