import {
  CreateSecretCommand,
  DeleteSecretCommand,
  ListSecretsCommand,
  ListSecretVersionIdsCommand,
  PutSecretValueCommand,
  UpdateSecretCommand,
} from '@aws-sdk/client-secrets-manager';
import { expect, test } from 'vitest';
import { startEmbeddedAws, version } from './embedded-aws-clients.ts';

const day = 86_400_000;

test('the same seed gives the same ARN', async () => {
  await using a = await startEmbeddedAws({ seed: 'x' });
  await using b = await startEmbeddedAws({ seed: 'x' });
  expect((await a.create()).ARN).toBe((await b.create()).ARN);
});

test('account and region are in the ARN', async () => {
  await using s = await startEmbeddedAws({ account: '123456789012', region: 'eu-west-1' });
  expect((await s.create()).ARN).toMatch(/^arn:aws:secretsmanager:eu-west-1:123456789012:secret:app-\w{6}$/);
});

test('dates come from the clock and arrive as dates', async () => {
  await using s = await startEmbeddedAws();
  s.aws.clock.advance(400 * day);
  await s.create();
  const created = (await s.read()).CreatedDate!.getTime();
  expect(Math.abs(created - s.aws.clock.now().getTime())).toBeLessThan(5000);
});

test('binary values come back byte for byte', async () => {
  await using s = await startEmbeddedAws();
  const SecretBinary = new Uint8Array([0, 1, 254, 255]);
  await s.secrets.send(new CreateSecretCommand({ Name: s.SecretId, SecretBinary }));
  expect(new Uint8Array((await s.read()).SecretBinary!)).toEqual(SecretBinary);
});

test.each([
  ['both kinds of value', { SecretString: 'a', SecretBinary: new Uint8Array([1]) }, 'InvalidParameterException'],
  ['no value', {}, 'InvalidRequestException'],
  ['a short token', { SecretString: 'a', ClientRequestToken: 'short' }, 'InvalidParameterException'],
  ['too long a value', { SecretString: 'a'.repeat(65_537) }, 'ValidationException'],
])('PutSecretValue with %s is %s', async (_, input, name) => {
  await using s = await startEmbeddedAws();
  await s.create();
  await expect(s.secrets.send(new PutSecretValueCommand({ SecretId: s.SecretId, ...input }))).rejects.toMatchObject({
    name,
  });
});

test('a refusal does not repeat the value it is about', async () => {
  await using s = await startEmbeddedAws();
  const SecretString = 'hush'.repeat(20_000);
  const refused = s.secrets.send(new PutSecretValueCommand({ SecretId: 'app', SecretString }));
  await expect(refused).rejects.toMatchObject({ message: expect.not.stringContaining('hush') });
});

test('the journal names operations and never a value', async () => {
  await using s = await startEmbeddedAws();
  await s.create('hush');
  await s.read();
  expect(s.aws.faults.journal).toEqual([
    { operation: 'CreateSecret', status: 200 },
    { operation: 'GetSecretValue', status: 200 },
  ]);
});

test('a name that ends like an ARN is found by the rest of its ARN', async () => {
  await using s = await startEmbeddedAws();
  const { ARN = '' } = await s.secrets.send(new CreateSecretCommand({ Name: 'app-a1b2c3', SecretString: 'x' }));
  const { aws } = s;
  expect(aws.secretsManager.secrets[ARN]?.name).toBe('app-a1b2c3');
  await expect(s.secrets.send(new ListSecretVersionIdsCommand({ SecretId: ARN.slice(0, -7) }))).resolves.toMatchObject({
    ARN,
  });
});

test('unlabelled versions are purged beyond 100 and older than a day, oldest first', async () => {
  await using s = await startEmbeddedAws();
  await s.create();
  for (let n = 2; n <= 104; n += 1) await s.put(n, `value ${n}`);
  const versions = () => Object.values(s.aws.secretsManager.secrets)[0]!.versions.map(({ id }) => id);
  expect(versions()).toHaveLength(104);
  s.aws.clock.advance(day);
  await s.put(105, 'last');
  expect(versions()).toHaveLength(100);
  expect(versions()[0]).toBe(version(6));
});

test('a version with a label outlives any number of newer ones', async () => {
  await using s = await startEmbeddedAws();
  await s.create();
  await s.put(2, 'kept', ['KEEP']);
  for (let n = 3; n <= 102; n += 1) await s.put(n, `value ${n}`);
  s.aws.clock.advance(2 * day);
  await s.put(103, 'last');
  expect((await s.read({ VersionStage: 'KEEP' })).SecretString).toBe('kept');
});

test('staleReads lets that many reads by stage miss the last write', async () => {
  await using s = await startEmbeddedAws();
  await s.create();
  await s.put(2, 'two');
  s.aws.secretsManager.staleReads(1);
  const values = [(await s.read()).SecretString, (await s.read()).SecretString];
  expect(values).toEqual(['one', 'two']);
});

test('a stale read by stage does not find the value just put into the pending version', async () => {
  await using s = await startEmbeddedAws();
  await s.create();
  await s.rotate(2);
  await s.put(2, 'two', ['AWSPENDING']);
  s.aws.secretsManager.staleReads(1);
  await expect(s.read({ VersionStage: 'AWSPENDING' })).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
});

test('reads by version id alone do not lag', async () => {
  await using s = await startEmbeddedAws();
  await s.create();
  await s.put(2, 'two');
  s.aws.secretsManager.staleReads(1);
  expect((await s.read({ VersionId: version(2) })).SecretString).toBe('two');
});

test('readLag ends when its time is over', async () => {
  await using s = await startEmbeddedAws();
  s.aws.secretsManager.readLag(60_000);
  await s.create();
  await s.put(2, 'two');
  const early = (await s.read()).SecretString;
  s.aws.clock.advance(60_000);
  expect([early, (await s.read()).SecretString]).toEqual(['one', 'two']);
});

test.each([
  ['both', { RecoveryWindowInDays: 7, ForceDeleteWithoutRecovery: true }],
  ['six days', { RecoveryWindowInDays: 6 }],
  ['31 days', { RecoveryWindowInDays: 31 }],
])('DeleteSecret with %s is refused', async (_, input) => {
  await using s = await startEmbeddedAws();
  await s.create();
  await expect(s.secrets.send(new DeleteSecretCommand({ SecretId: 'app', ...input }))).rejects.toMatchObject({
    name: 'InvalidParameterException',
  });
});

test('after the recovery window the secret is gone and its name is free', async () => {
  await using s = await startEmbeddedAws();
  await s.create();
  await s.secrets.send(new DeleteSecretCommand({ SecretId: 'app', RecoveryWindowInDays: 7 }));
  s.aws.clock.advance(7 * day);
  await expect(s.describe()).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  await expect(s.create('again')).resolves.toMatchObject({ Name: 'app' });
});

test('forcing deletion of a secret that does not exist is no error', async () => {
  await using s = await startEmbeddedAws();
  const forced = new DeleteSecretCommand({ SecretId: 'none', ForceDeleteWithoutRecovery: true });
  await expect(s.secrets.send(forced)).resolves.toMatchObject({ Name: 'none' });
});

test('ListSecrets goes page by page and leaves out what is scheduled for deletion', async () => {
  await using s = await startEmbeddedAws();
  for (const Name of ['a', 'b', 'c', 'd']) await s.secrets.send(new CreateSecretCommand({ Name, SecretString: 'x' }));
  await s.secrets.send(new DeleteSecretCommand({ SecretId: 'b' }));
  const first = await s.secrets.send(new ListSecretsCommand({ MaxResults: 2 }));
  const { NextToken } = first;
  const second = await s.secrets.send(new ListSecretsCommand({ MaxResults: 2, NextToken }));
  const names = [first, second].map(({ SecretList = [] }) => SecretList.map(({ Name }) => Name));
  expect(names).toEqual([['a', 'c'], ['d']]);
});

test.each([
  ['name', 'pay', ['pay/one']],
  ['name', '!pay', ['other']],
  ['tag-key', 'te', ['pay/one']],
  ['tag-value', 'core', ['pay/one']],
  ['description', 'FOR', ['other']],
  ['all', 'core', ['pay/one']],
] as const)('ListSecrets by %s %s', async (Key, value, names) => {
  await using s = await startEmbeddedAws();
  const Tags = [{ Key: 'team', Value: 'core' }];
  await s.secrets.send(new CreateSecretCommand({ Name: 'pay/one', SecretString: 'x', Tags }));
  await s.secrets.send(new CreateSecretCommand({ Name: 'other', SecretString: 'x', Description: 'For tests' }));
  const { SecretList = [] } = await s.secrets.send(new ListSecretsCommand({ Filters: [{ Key, Values: [value] }] }));
  expect(SecretList.map(({ Name }) => Name)).toEqual(names);
});

test('a key that cannot encrypt refuses new values and hides old ones', async () => {
  await using s = await startEmbeddedAws();
  const key = s.aws.keys.create('alias/app');
  await s.secrets.send(new CreateSecretCommand({ Name: 'app', SecretString: 'x', KmsKeyId: 'alias/app' }));
  expect((await s.describe()).KmsKeyId).toBe('alias/app');
  key.state = 'Disabled';
  await expect(s.put(2, 'two')).rejects.toMatchObject({ name: 'EncryptionFailure' });
  await expect(s.read()).rejects.toMatchObject({ name: 'DecryptionFailure' });
});

test('UpdateSecret changes the description without a new version', async () => {
  await using s = await startEmbeddedAws();
  await s.create();
  const updated = await s.secrets.send(new UpdateSecretCommand({ SecretId: 'app', Description: 'new' }));
  expect(updated.VersionId).toBeUndefined();
  expect((await s.describe()).Description).toBe('new');
});

test('a manual change of the value moves the next rotation date', async () => {
  await using s = await startEmbeddedAws();
  await s.create();
  await s.rotate(2);
  const before = (await s.describe()).NextRotationDate!.getTime();
  s.aws.clock.advance(3 * day);
  await s.put(3, 'three');
  expect((await s.describe()).NextRotationDate!.getTime() - before).toBe(3 * day);
});
