/** What the world looks like when a schedule begins, by name: who acts, what the second slot holds, and how far a rotation is. */
import { lifetimeHours } from '../../functions/rotate-service-account-secret/second-slot.ts';
import type { Secret, ServiceAccount } from '../../infra/local/atlas-sandbox/world.ts';
import type { Secret as ManagedSecret } from '../../infra/local/aws/secrets-manager/secret.ts';
import type { ModelWorld } from './model-world.ts';
import { beginWhatWaits, START, time } from './stand-ins/time.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export const LAMBDA = 'arn:aws:lambda:us-east-1:000000000000:function:rotate-service-account-secret';
/** The secret that must hold the same value, in scenes that have one. */
export const COPY = 'copy';
/** The policy of every scene. */
export const POLICY = { secretExpiresAfterHours: 2160, graceHours: 24, everyDays: 30 } as const;

const modes = ['self', 'admin'] as const;
const seconds = [
  'none',
  'previous over',
  'previous in grace',
  'previous expired',
  'young orphan',
  'old orphan',
  'foreign',
] as const;
type Second = (typeof seconds)[number];
const begun = ['fresh', 'empty'] as const;

/** Every scene there is. With the new value stored there is no second slot left to vary. */
export const SCENES: readonly string[] = modes.flatMap((mode) => [
  ...begun.flatMap((pending) => seconds.map((second) => `${mode}/${second}/${pending}`)),
  `${mode}/none/stored`,
  `${mode}/none/stored days ago`,
  `${mode}/none/dead`,
  `${mode}/none/fresh copied`,
  `${mode}/previous over/fresh copied`,
]);

/** One managed secret and its account. */
export interface Subject {
  readonly arn: string;
  readonly name: string;
  readonly mode: 'self' | 'admin';
  readonly account: ServiceAccount;
  /** The managed secret itself, as the service holds it. */
  readonly managed: ManagedSecret;
  readonly foreign: ReadonlySet<string>;
  /** Another secret that has to hold the current value. */
  readonly copy: ManagedSecret | undefined;
  readonly begins: 'rotation' | 'given up';
  readonly initialVersion: string;
}

const isSecond = (text: string): text is Second => seconds.some((known) => known === text);

/** Builds the scene in the past, so that it is there at the beginning with the dates it would have. */
export async function seed(scene: string, { atlas, aws, secretsManager }: ModelWorld): Promise<Subject> {
  const [mode, second = '', last = ''] = scene.split('/');
  const pending = last.replace(' copied', '');
  if ((mode !== 'self' && mode !== 'admin') || !isSecond(second)) throw new Error(`${scene} is no scene`);
  const at = (msAgo: number): void => time.advance(START - msAgo - time.now());
  const ask = async (operation: string, input: object): Promise<Record<string, string>> => {
    const { body, error } = await aws(operation, input).apply();
    if (error) throw new Error(error.message);
    return body as Record<string, string>;
  };

  at(60 * DAY);
  const org = atlas.addOrg({ name: 'organization' });
  const project = atlas.addProject(org, { name: 'project' });
  // One scope for each mode: the two endpoints differ in nothing else.
  const account =
    mode === 'self'
      ? atlas.addOrgAccount(org, { name: 'subject', roles: ['ORG_OWNER'] })
      : atlas.addProjectAccount(project, { name: 'subject', roles: ['GROUP_READ_ONLY'] });
  let adminSecretArn: string | undefined;
  if (mode === 'admin') {
    const admin = atlas.addOrgAccount(org, { name: 'administrator', roles: ['ORG_OWNER'] });
    const value = JSON.stringify({ clientId: admin.clientId, clientSecret: atlas.addSecret(admin).value });
    adminSecretArn = (
      await ask('CreateSecret', { Name: 'administrator', ClientRequestToken: token(9), SecretString: value })
    )['ARN'];
  }
  const bytesOf = (secret: Secret): string =>
    JSON.stringify({
      clientId: account.clientId,
      clientSecret: secret.value,
      ...(mode === 'self' ? { orgId: org.id } : { groupId: project.id }),
      secretId: secret.id,
      createdAt: secret.createdAt.toISOString(),
      expiresAt: secret.expiresAt.toISOString(),
      ...(adminSecretArn && { adminSecretArn }),
    });
  const name = 'subject';
  const managedOf = (arn: string): ManagedSecret => {
    const managed = secretsManager.secrets[arn];
    if (!managed) throw new Error(`there is no ${arn}`);
    return managed;
  };
  const create = async (secret: Secret): Promise<string> =>
    (await ask('CreateSecret', { Name: name, ClientRequestToken: token(1), SecretString: bytesOf(secret) }))['ARN'] ??
    '';
  const configure = (arn: string, lastAt?: number): void => {
    managedOf(arn).rotation = {
      enabled: true,
      lambdaArn: LAMBDA,
      rules: { AutomaticallyAfterDays: POLICY.everyDays },
      nextAt: START + 90 * DAY,
      ...(lastAt !== undefined && { lastAt }),
    };
  };

  let arn: string;
  let currentVersion = token(1);
  const foreign = new Set<string>();
  const promotedAgo = { 'previous over': 3 * DAY, 'previous in grace': HOUR, 'previous expired': 30 * DAY };
  if (second === 'previous over' || second === 'previous in grace' || second === 'previous expired') {
    arn = await create(atlas.addSecret(account));
    at(promotedAgo[second] + MINUTE);
    const current = atlas.mintSecret(account, POLICY.secretExpiresAfterHours - 7);
    at(promotedAgo[second]);
    currentVersion = token(2);
    await ask('PutSecretValue', { SecretId: arn, ClientRequestToken: token(2), SecretString: bytesOf(current) });
    configure(arn, time.now());
  } else {
    at(30 * DAY);
    arn = await create(atlas.addSecret(account));
    configure(arn);
    const mark = lifetimeHours(POLICY.secretExpiresAfterHours, arn);
    if (second === 'young orphan') {
      at(5 * MINUTE);
      atlas.mintSecret(account, mark);
    }
    if (second === 'old orphan') {
      at(2 * HOUR);
      atlas.mintSecret(account, mark);
    }
    if (second === 'foreign') {
      at(3 * DAY);
      const other = atlas.mintSecret(account, 2160);
      foreign.add(other.id);
      at(DAY);
      other.lastUsedAt = new Date(time.now());
    }
  }
  const managed = managedOf(arn);

  if (pending !== 'fresh') {
    at(pending === 'empty' ? 5 * MINUTE : pending === 'stored days ago' ? 5 * DAY : 40 * MINUTE);
    // The function does not answer yet: Secrets Manager gives up, and leaves the empty version behind.
    await ask('RotateSecret', { SecretId: arn, ClientRequestToken: token(3) });
    while (beginWhatWaits()) await secretsManager.rotationsSettled();
  }
  if (pending !== 'fresh' && pending !== 'empty') {
    const next = atlas.mintSecret(account, lifetimeHours(POLICY.secretExpiresAfterHours, arn));
    await ask('PutSecretValue', {
      SecretId: arn,
      ClientRequestToken: token(3),
      SecretString: bytesOf(next),
      VersionStages: ['AWSPENDING'],
    });
    if (pending === 'dead') atlas.revokeSecret(account, next.id);
  }
  const bytes = managed.versions.find(({ id }) => id === managed.labels['AWSCURRENT'])?.text;
  const made =
    last === pending
      ? undefined
      : await ask('CreateSecret', { Name: COPY, ClientRequestToken: token(8), SecretString: bytes });
  at(0);
  return {
    arn,
    name,
    mode,
    account,
    managed,
    foreign,
    copy: made && managedOf(made['ARN'] ?? ''),
    begins: pending === 'fresh' ? 'rotation' : 'given up',
    initialVersion: currentVersion,
  };
}

const token = (n: number): string => `0000000${n}-0000-4000-8000-000000000000`;
