import { ArnFormat, Stack } from 'aws-cdk-lib';
import { type IRole, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { RotationSettings } from '../../functions/rotate-service-account-secret/contract.ts';
import { arnOf, SecretReference } from '../secret-reference.ts';
import { grantSecretValues } from './grants.ts';

/** Whether any managed secret has a place elsewhere that must hold its value. */
export const hasTargets = ({ secrets }: RotationSettings): boolean => secrets.some(({ fanOut }) => fanOut.length > 0);

/** Lets a role bring values to the targets of the settings, and read them back: these very secrets and parameters. */
export function grantFanOut(role: IRole, { secrets }: RotationSettings): void {
  const stack = Stack.of(role);
  const targets = secrets.flatMap(({ fanOut }) => fanOut);
  const allow = (actions: string[], resources: readonly string[], conditions?: PolicyStatement['conditions']): void => {
    if (resources.length === 0) return;
    role.addToPrincipalPolicy(
      new PolicyStatement({ actions, resources: [...new Set(resources)], ...(conditions && { conditions }) }),
    );
  };

  const copies = targets.flatMap((target) =>
    target.type === 'secrets-manager' ? [{ ...target, arn: secretArn(stack, target) }] : [],
  );
  allow(
    [
      'secretsmanager:DescribeSecret',
      'secretsmanager:GetSecretValue',
      'secretsmanager:PutSecretValue',
      'secretsmanager:UpdateSecretVersionStage',
    ],
    copies.map(({ arn }) => arn),
  );
  for (const [key, held] of Map.groupBy(copies, ({ kmsKeyArn }) => kmsKeyArn)) {
    if (key === undefined) continue;
    allow(['kms:Decrypt', 'kms:GenerateDataKey'], [key], {
      StringLike: { 'kms:EncryptionContext:SecretARN': [...new Set(held.map(({ arn }) => arn))] },
    });
  }

  const parameters = targets.flatMap((target) =>
    target.type === 'ssm' ? [{ ...target, arn: parameterArn(stack, target) }] : [],
  );
  allow(
    ['ssm:GetParameter', 'ssm:PutParameter'],
    parameters.map(({ arn }) => arn),
  );
  for (const [key, held] of Map.groupBy(parameters, ({ kmsKeyArn }) => kmsKeyArn)) {
    if (key === undefined) continue;
    allow(['kms:Decrypt', 'kms:Encrypt'], [key], {
      StringEquals: { 'kms:EncryptionContext:PARAMETER_ARN': [...new Set(held.map(({ arn }) => arn))] },
    });
  }

  grantSecretValues(
    role,
    targets.flatMap((target) =>
      target.type === 'github-actions' ? [{ secret: target.tokenSecret, kmsKeyArn: target.tokenKmsKeyArn }] : [],
    ),
  );
}

interface Placed {
  readonly region?: string | undefined;
}

function secretArn(stack: Stack, { secret, region }: Placed & { readonly secret: string }): string {
  const reference = SecretReference.parse(secret);
  if (reference.arn !== undefined || region === undefined) return arnOf(stack, reference);
  return stack.formatArn({
    service: 'secretsmanager',
    region,
    resource: 'secret',
    resourceName: `${reference.name}-??????`,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
}

const parameterArn = (stack: Stack, { parameter, region }: Placed & { readonly parameter: string }): string =>
  stack.formatArn({
    service: 'ssm',
    ...(region !== undefined && { region }),
    resource: 'parameter',
    resourceName: parameter.replace(/^\//, ''),
  });
