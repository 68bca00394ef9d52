import { Stack } from 'aws-cdk-lib';
import { type IRole, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { RotationSettings } from '../../functions/rotate-service-account-secret/contract.ts';
import { arnOf, SecretReference } from '../secret-reference.ts';

/**
 * What the steps of a rotation need, for whoever runs them: the managed secrets, the administrators' secrets to read, and
 * their keys. One statement for all secrets of a kind: a statement each would fill the role's 10 KB with a few dozen.
 */
export function grantRotation(role: IRole, { secrets }: RotationSettings): void {
  const stack = Stack.of(role);
  const arn = (text: string): string => arnOf(stack, SecretReference.parse(text));
  const allow = (actions: string[], resources: readonly string[], conditions?: PolicyStatement['conditions']): void => {
    if (resources.length === 0) return;
    role.addToPrincipalPolicy(
      new PolicyStatement({ actions, resources: [...new Set(resources)], ...(conditions && { conditions }) }),
    );
  };

  allow(
    [
      'secretsmanager:DescribeSecret',
      'secretsmanager:GetSecretValue',
      'secretsmanager:ListSecretVersionIds',
      'secretsmanager:PutSecretValue',
      'secretsmanager:UpdateSecretVersionStage',
    ],
    secrets.map(({ secret }) => arn(secret)),
  );
  allow(
    ['secretsmanager:GetSecretValue'],
    secrets.flatMap(({ adminSecret }) => (adminSecret === undefined ? [] : [arn(adminSecret)])),
  );

  // Not limited to calls through Secrets Manager (kms:ViaService): before it asks Atlas for a secret that is shown
  // once, the function asks KMS itself, as a dry run, whether it could encrypt it.
  const ofSecrets = (arns: readonly string[]) => ({
    StringLike: { 'kms:EncryptionContext:SecretARN': [...new Set(arns)] },
  });
  const byKey = Map.groupBy(secrets, ({ kmsKeyArn }) => kmsKeyArn);
  for (const [key, held] of byKey) {
    if (key === undefined) continue;
    const managed = held.map(({ secret }) => arn(secret));
    const admins = held.flatMap(({ adminSecret }) => (adminSecret === undefined ? [] : [arn(adminSecret)]));
    allow(['kms:GenerateDataKey'], [key], ofSecrets(managed));
    allow(['kms:Decrypt'], [key], ofSecrets([...managed, ...admins]));
  }
}
