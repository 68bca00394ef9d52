import { Stack } from 'aws-cdk-lib';
import { type IRole, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { RotationSettings } from '../../functions/rotate-service-account-secret/contract.ts';
import { arnOf, commonArn, SecretReference } from '../secret-reference.ts';

/** Secrets a condition names one by one. */
const MOST_NAMED = 25;
/** Of a statement with so many resources several do not fit into one policy; CDK spreads whole statements over policies. */
const MOST_RESOURCES = 40;

/** Lists of resources that each fit into a policy. */
export const lotsOf = (resources: readonly string[]): string[][] =>
  Array.from({ length: Math.ceil(resources.length / MOST_RESOURCES) }, (_, nth) =>
    resources.slice(nth * MOST_RESOURCES, (nth + 1) * MOST_RESOURCES),
  );

/**
 * What the steps of a rotation need, for whoever runs them: the managed secrets, the administrators' secrets to read, and
 * their keys. One statement for all secrets of a kind: a statement each would fill the role's 10 KB with a few dozen.
 * `more` is allowed on the managed secrets besides.
 */
export function grantRotation(role: IRole, { secrets }: RotationSettings, more: readonly string[] = []): void {
  const stack = Stack.of(role);
  const arn = (text: string): string => arnOf(stack, SecretReference.parse(text));
  const allow = (actions: string[], resources: readonly string[], conditions?: PolicyStatement['conditions']): void => {
    for (const lot of lotsOf([...new Set(resources)]))
      role.addToPrincipalPolicy(new PolicyStatement({ actions, resources: lot, ...(conditions && { conditions }) }));
  };

  allow(
    [
      'secretsmanager:DescribeSecret',
      'secretsmanager:GetSecretValue',
      'secretsmanager:ListSecretVersionIds',
      'secretsmanager:PutSecretValue',
      'secretsmanager:UpdateSecretVersionStage',
      ...more,
    ],
    secrets.map(({ secret }) => arn(secret)),
  );
  allow(
    ['secretsmanager:GetSecretValue'],
    secrets.flatMap(({ adminSecret }) => (adminSecret === undefined ? [] : [arn(adminSecret)])),
  );

  // Not limited to calls through Secrets Manager (kms:ViaService): before it asks Atlas for a secret that is shown
  // once, the function asks KMS itself, as a dry run, whether it could encrypt it.
  // Of many secrets, those whose names begin alike: who may not read a secret has nothing to decrypt of it.
  const ofSecrets = (texts: readonly string[]) => {
    const arns = texts.map(arn);
    const common = commonArn(
      stack,
      texts.map((text) => SecretReference.parse(text)),
    );
    return {
      StringLike: { 'kms:EncryptionContext:SecretARN': arns.length > MOST_NAMED ? [common] : [...new Set(arns)] },
    };
  };
  const byKey = Map.groupBy(secrets, ({ kmsKeyArn }) => kmsKeyArn);
  for (const [key, held] of byKey) {
    if (key === undefined) continue;
    const managed = held.map(({ secret }) => secret);
    const admins = held.flatMap(({ adminSecret }) => (adminSecret === undefined ? [] : [adminSecret]));
    allow(['kms:GenerateDataKey'], [key], ofSecrets(managed));
    allow(['kms:Decrypt'], [key], ofSecrets([...managed, ...admins]));
  }
}
