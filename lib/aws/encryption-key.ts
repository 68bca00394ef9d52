import type { Deadline } from '../runtime/deadline.ts';
import { AwsCallFailed, errorName } from './errors.ts';

/**
 * Proves, without encrypting anything, that a value can be encrypted with the secret's own key: asks KMS for a data key
 * as a dry run, in the encryption context Secrets Manager uses. Throws AwsCallFailed when it can't.
 * Source: https://docs.aws.amazon.com/kms/latest/developerguide/testing-permissions.html
 */
export async function proveKeyEncrypts(kmsKeyId: string, secretArn: string, deadline: Deadline): Promise<void> {
  // Only secrets under a customer-managed key come here, so the client stays out of everyone else's cold start.
  const { kms } = await import('./kms.ts');
  try {
    await new kms.KMSClient({}).send(
      new kms.GenerateDataKeyCommand({
        KeyId: kmsKeyId,
        KeySpec: 'AES_256',
        DryRun: true,
        EncryptionContext: { SecretARN: secretArn },
      }),
      { abortSignal: deadline.signal },
    );
  } catch (cause) {
    if (errorName(cause) !== 'DryRunOperationException')
      throw new AwsCallFailed('kms', 'GenerateDataKey', cause, { kmsKeyId });
  }
}
