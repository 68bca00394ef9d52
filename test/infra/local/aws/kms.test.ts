import { GenerateDataKeyCommand, type GenerateDataKeyCommandInput } from '@aws-sdk/client-kms';
import { expect, test } from 'vitest';
import type { KeyState } from '../../../../infra/local/aws/kms.ts';
import { startEmbeddedAws } from './embedded-aws-clients.ts';

const generate = (KeyId: string, more: Partial<GenerateDataKeyCommandInput> = {}) =>
  new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256', ...more });

test.each(['id', 'arn', 'alias', 'alias ARN'])('a key is found by %s', async (by) => {
  await using s = await startEmbeddedAws();
  const { id, arn } = s.aws.keys.create('alias/app');
  const names: Record<string, string> = {
    id,
    arn,
    alias: 'alias/app',
    'alias ARN': arn.replace(`key/${id}`, 'alias/app'),
  };
  const { KeyId, Plaintext } = await s.kms.send(generate(names[by]!));
  expect([KeyId, Plaintext?.length]).toEqual([arn, 32]);
});

test('a dry run that would work is refused as one', async () => {
  await using s = await startEmbeddedAws();
  const { id } = s.aws.keys.create();
  await expect(s.kms.send(generate(id, { DryRun: true }))).rejects.toMatchObject({ name: 'DryRunOperationException' });
});

test.each<[KeyState, string]>([
  ['Disabled', 'DisabledException'],
  ['PendingDeletion', 'KMSInvalidStateException'],
])('a key that is %s is refused with %s, dry run or not', async (state, name) => {
  await using s = await startEmbeddedAws();
  const key = s.aws.keys.create();
  key.state = state;
  for (const DryRun of [true, false]) {
    await expect(s.kms.send(generate(key.id, { DryRun }))).rejects.toMatchObject({ name });
  }
});

test.each(['no-such-key', 'alias/none'])('%s is not found', async (KeyId) => {
  await using s = await startEmbeddedAws();
  await expect(s.kms.send(generate(KeyId, { DryRun: true }))).rejects.toMatchObject({ name: 'NotFoundException' });
});

test('key spec and number of bytes exclude each other', async () => {
  await using s = await startEmbeddedAws();
  const { id } = s.aws.keys.create();
  await expect(s.kms.send(generate(id, { NumberOfBytes: 8 }))).rejects.toMatchObject({ name: 'ValidationException' });
});
