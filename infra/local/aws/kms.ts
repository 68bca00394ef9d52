import * as z from 'zod';
import { type Durable, forgetful } from '../durable/durable.ts';
import { AwsError, type AwsService, operation } from './json-protocol.ts';
import type { SeededIds } from './seeded-ids.ts';

export type KeyState = 'Enabled' | 'Disabled' | 'PendingDeletion';

export interface KmsKey {
  readonly id: string;
  readonly arn: string;
  readonly alias?: string;
  state: KeyState;
}

/** KMS as far as a check of "could this be encrypted?" needs it. */
export interface Keys {
  readonly state: { readonly keys: Record<string, KmsKey> };
  /** Makes an enabled symmetric key; `alias` includes the `alias/` prefix. */
  create(alias?: string): KmsKey;
  /** Throws what KMS answers when the key cannot encrypt now. Takes an id, an ARN or an alias. */
  usable(keyId: string): KmsKey;
  readonly service: AwsService;
}

interface Environment {
  readonly ids: SeededIds;
  readonly account: string;
  readonly region: string;
  readonly durable?: Durable | undefined;
}

const generateDataKey = z.object({
  KeyId: z.string().min(1).max(2048),
  KeySpec: z.enum(['AES_128', 'AES_256']).optional(),
  NumberOfBytes: z.int().min(1).max(1024).optional(),
  EncryptionContext: z.record(z.string(), z.string()).optional(),
  DryRun: z.boolean().optional(),
});

export function createKeys({ ids, account, region, durable = forgetful }: Environment): Keys {
  const shelf = durable.shelf<KmsKey>('keys');
  const state: Keys['state'] = { keys: Object.fromEntries(shelf.kept()) };
  const arnOf = (resource: string): string => `arn:aws:kms:${region}:${account}:${resource}`;

  const usable = (keyId: string): KmsKey => {
    const key = Object.values(state.keys).find(
      ({ id, arn, alias }) => [id, arn].includes(keyId) || (alias && [alias, arnOf(alias)].includes(keyId)),
    );
    if (!key) {
      const missing = keyId.startsWith('arn:') ? keyId : arnOf(keyId.startsWith('alias/') ? keyId : `key/${keyId}`);
      const text = missing.includes(':alias/') ? `Alias ${missing} is not found.` : `Key '${missing}' does not exist`;
      throw new AwsError('NotFoundException', text);
    }
    if (key.state === 'Disabled') throw new AwsError('DisabledException', `${key.arn} is disabled.`);
    if (key.state === 'PendingDeletion')
      throw new AwsError('KMSInvalidStateException', `${key.arn} is pending deletion.`);
    return key;
  };

  return {
    state,
    create(alias) {
      const id = ids.uuid();
      const key: KmsKey = { id, arn: arnOf(`key/${id}`), ...(alias && { alias }), state: 'Enabled' };
      state.keys[id] = key;
      shelf.put(id, key);
      return key;
    },
    usable,
    service: {
      targetPrefix: 'TrentService',
      internalError: 'KMSInternalException',
      messageField: 'message',
      operations: {
        GenerateDataKey: operation(generateDataKey, ({ KeyId, KeySpec, NumberOfBytes, DryRun }) => {
          if ((KeySpec === undefined) === (NumberOfBytes === undefined)) {
            throw new AwsError('ValidationException', 'Please specify either number of bytes or key spec.');
          }
          const key = usable(KeyId);
          // KMS answers a dry run that would have worked with a refusal, so that it can't be mistaken for a key.
          if (DryRun) {
            throw new AwsError(
              'DryRunOperationException',
              'The request would have succeeded, but the DryRun option is set.',
            );
          }
          const length = NumberOfBytes ?? (KeySpec === 'AES_128' ? 16 : 32);
          return {
            KeyId: key.arn,
            Plaintext: ids.bytes(length).toString('base64'),
            CiphertextBlob: ids.bytes(length + 120).toString('base64'),
          };
        }),
      },
    },
  };
}
