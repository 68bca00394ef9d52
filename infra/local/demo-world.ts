import { CreateSecretCommand, PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { Organization, Project } from './atlas-sandbox/world.ts';
import type { Machine } from './machine.ts';

const DAY_MS = 86_400_000;

/**
 * Fills the sandbox and the embedded Secrets Manager with an organization like many: accounts of the organization and
 * of a project, some that rotate themselves and some that an administrator rotates, values nobody has rotated yet, and
 * one account whose expired secret still holds its second slot. Answers the names of the secrets to rotate, and the
 * organization, which the other capabilities look after as well.
 */
export async function seedDemoWorld({
  atlas: { world },
  clock,
  sdk,
}: Pick<Machine, 'atlas' | 'clock' | 'sdk'>): Promise<{ secrets: string[]; org: Organization; project: Project }> {
  const client = new SecretsManagerClient(sdk);
  const org = world.addOrg({ name: 'Example' });
  const project = world.addProject(org, { name: 'shop' });
  const daysAgo = (days: number): Date => new Date(clock.now().getTime() - days * DAY_MS);

  const create = async (Name: string, value: Record<string, unknown>): Promise<string> => {
    const { ARN = Name } = await client.send(new CreateSecretCommand({ Name, SecretString: JSON.stringify(value) }));
    return ARN;
  };

  const owner = world.addOrgAccount(org, { name: 'rotation administrator', roles: ['ORG_OWNER'] });
  const ownerSecret = world.addSecret(owner, { createdAt: daysAgo(20) });
  const adminSecretArn = await create('atlas/organization-owner', {
    clientId: owner.clientId,
    clientSecret: ownerSecret.value,
  });

  const payments = world.addOrgAccount(org, { name: 'payments', roles: ['ORG_OWNER'] });
  const paymentsSecret = world.addSecret(payments, { createdAt: daysAgo(80) });
  await create('atlas/payments', { clientId: payments.clientId, clientSecret: paymentsSecret.value, orgId: org.id });

  const reporting = world.addOrgAccount(org, { name: 'reporting', roles: ['ORG_READ_ONLY'] });
  const reportingSecret = world.addSecret(reporting, { createdAt: daysAgo(29) });
  await create('atlas/reporting', {
    clientId: reporting.clientId,
    clientSecret: reportingSecret.value,
    orgId: org.id,
    secretId: reportingSecret.id,
    createdAt: reportingSecret.createdAt.toISOString(),
    expiresAt: reportingSecret.expiresAt.toISOString(),
    adminSecretArn,
  });

  const deploy = world.addProjectAccount(project, { name: 'deploy', roles: ['GROUP_OWNER'] });
  const deploySecret = world.addSecret(deploy, { createdAt: daysAgo(12) });
  await create('atlas/shop/deploy', {
    clientId: deploy.clientId,
    clientSecret: deploySecret.value,
    groupId: project.id,
    secretExpiresAfterHours: 1440,
  });

  const search = world.addProjectAccount(project, { name: 'search', roles: ['GROUP_READ_ONLY'] });
  const expired = world.addSecret(search, { createdAt: daysAgo(60), expiresAt: daysAgo(23) });
  const searchSecret = world.addSecret(search, { createdAt: daysAgo(30) });
  const searchValue = (secret: typeof expired): Record<string, unknown> => ({
    clientId: search.clientId,
    clientSecret: secret.value,
    groupId: project.id,
    secretId: secret.id,
    createdAt: secret.createdAt.toISOString(),
    expiresAt: secret.expiresAt.toISOString(),
    adminSecretArn,
  });
  const searchArn = await create('atlas/shop/search', searchValue(expired));
  await client.send(
    new PutSecretValueCommand({ SecretId: searchArn, SecretString: JSON.stringify(searchValue(searchSecret)) }),
  );

  client.destroy();
  return { secrets: ['atlas/payments', 'atlas/reporting', 'atlas/shop/deploy', 'atlas/shop/search'], org, project };
}
