import { SecretsManagerClient, TagResourceCommand, UntagResourceCommand } from '@aws-sdk/client-secrets-manager';
import type { Deadline } from '../runtime/deadline.ts';
import { AwsCallFailed } from './errors.ts';

/** Tags of secrets: what an account's policies can decide by. Each call throws AwsCallFailed, and may be repeated. */
export interface SecretTags {
  /** Sets one tag, over the value it had. */
  set(secretId: string, key: string, value: string, deadline: Deadline): Promise<void>;
  /** Takes one tag off; one that is not there is off already. */
  remove(secretId: string, key: string, deadline: Deadline): Promise<void>;
}

const patience = { connectionTimeout: 3_000, requestTimeout: 10_000, throwOnRequestTimeout: true };

export function createSecretTags(
  client: SecretsManagerClient = new SecretsManagerClient({ requestHandler: patience }),
): SecretTags {
  const failed = (operation: string, managedSecret: string) => (cause: unknown) => {
    throw new AwsCallFailed('secretsmanager', operation, cause, { managedSecret });
  };
  return {
    async set(secretId, key, value, deadline) {
      await client
        .send(new TagResourceCommand({ SecretId: secretId, Tags: [{ Key: key, Value: value }] }), {
          abortSignal: deadline.signal,
        })
        .catch(failed('TagResource', secretId));
    },
    async remove(secretId, key, deadline) {
      await client
        .send(new UntagResourceCommand({ SecretId: secretId, TagKeys: [key] }), { abortSignal: deadline.signal })
        .catch(failed('UntagResource', secretId));
    },
  };
}
