import * as z from 'zod';
import type { Clock } from '../../../lib/runtime/clock.ts';
import { type Durable, forgetful } from '../durable/durable.ts';
import { AwsError, type AwsService, operation } from './json-protocol.ts';
import type { Keys } from './kms.ts';

type ParameterType = 'String' | 'StringList' | 'SecureString';

interface ParameterVersion {
  readonly version: number;
  readonly type: ParameterType;
  readonly value: string;
  readonly keyId: string | undefined;
  /** Epoch ms. */
  readonly modifiedAt: number;
}

/** Parameter Store of Systems Manager as far as one parameter at a time needs it. */
export interface Parameters {
  /** Every version of every parameter by name, oldest first, as plain data. */
  readonly parameters: Record<string, ParameterVersion[]>;
  readonly service: AwsService;
}

interface Environment {
  readonly clock: Clock;
  readonly account: string;
  readonly region: string;
  readonly keys: Keys;
  readonly durable?: Durable | undefined;
}

const STANDARD_BYTES = 4096;
const ADVANCED_BYTES = 8192;
const KEPT_VERSIONS = 100;
const AWS_KEY = 'alias/aws/ssm';

const name = z.string().min(1).max(2048);
const putParameter = z.object({
  Name: name,
  Value: z.string().min(1),
  Type: z.enum(['String', 'StringList', 'SecureString']).optional(),
  KeyId: z.string().min(1).max(256).optional(),
  Overwrite: z.boolean().optional(),
  Tier: z.enum(['Standard', 'Advanced', 'Intelligent-Tiering']).optional(),
  Description: z.string().max(1024).optional(),
  DataType: z.string().max(128).optional(),
});
const getParameter = z.object({ Name: name, WithDecryption: z.boolean().optional() });

export function createParameters({ clock, account, region, keys, durable = forgetful }: Environment): Parameters {
  const shelf = durable.shelf<ParameterVersion[]>('parameters');
  const parameters: Parameters['parameters'] = Object.fromEntries(shelf.kept());
  const arnOf = (parameter: string): string =>
    `arn:aws:ssm:${region}:${account}:parameter${parameter.startsWith('/') ? '' : '/'}${parameter}`;

  const usable = (keyId: string | undefined): void => {
    if (keyId === undefined || keyId.endsWith(AWS_KEY)) return;
    try {
      keys.usable(keyId);
    } catch {
      throw new AwsError('InvalidKeyId', 'The key cannot be used.');
    }
  };

  /** `name`, `name:version`, or the ARN of either. */
  const find = (given: string): { readonly found: string; readonly held: ParameterVersion } => {
    const prefix = arnOf('');
    const text = given.startsWith('arn:') ? given.replace(prefix, given.startsWith(`${prefix}/`) ? '' : '/') : given;
    const [, base = text, version] = /^([^:]+):(\d+)$/.exec(text) ?? [];
    const found = Object.hasOwn(parameters, base) ? base : base.replace(/^\//, '');
    const versions = parameters[found];
    if (!versions) throw new AwsError('ParameterNotFound', `Parameter ${base} not found.`);
    const held = version === undefined ? versions.at(-1) : versions.find((one) => String(one.version) === version);
    if (!held)
      throw new AwsError('ParameterVersionNotFound', `Systems Manager could not find version ${version} of ${base}.`);
    return { found, held };
  };

  return {
    parameters,
    service: {
      targetPrefix: 'AmazonSSM',
      internalError: 'InternalServerError',
      messageField: 'message',
      operations: {
        PutParameter: operation(putParameter, ({ Name, Value, Type, KeyId, Overwrite = false, Tier = 'Standard' }) => {
          if (!/^\/?[\w.-]+(\/[\w.-]+){0,15}$/.test(Name) || /^\/?(aws|ssm)/i.test(Name))
            throw new AwsError('ValidationException', 'Parameter name is not a valid one.');
          const versions = parameters[Name];
          const last = versions?.at(-1);
          if (last && !Overwrite)
            throw new AwsError(
              'ParameterAlreadyExists',
              'The parameter already exists. To overwrite this value, set the overwrite option in the request to true.',
            );
          const type = Type ?? last?.type;
          if (type === undefined)
            throw new AwsError('ValidationException', 'A parameter type is required when you create a parameter.');
          // Its type is for life.
          if (last && last.type !== type)
            throw new AwsError('HierarchyTypeMismatchException', 'The type of a parameter cannot be changed.');
          if (KeyId !== undefined && type !== 'SecureString')
            throw new AwsError('ValidationException', 'KeyId is required for SecureString type parameter only.');
          const most = Tier === 'Standard' ? STANDARD_BYTES : ADVANCED_BYTES;
          if (Buffer.byteLength(Value) > most)
            throw new AwsError(
              'ValidationException',
              `Standard tier parameters support a maximum parameter value of ${most} characters.`,
            );
          const keyId = type === 'SecureString' ? (KeyId ?? last?.keyId) : undefined;
          usable(keyId);
          const version = (last?.version ?? 0) + 1;
          const next = { version, type, value: Value, keyId, modifiedAt: clock.now().getTime() };
          const all = [...(versions ?? []), next].slice(-KEPT_VERSIONS);
          parameters[Name] = all;
          shelf.put(Name, all);
          return { Version: version, Tier: Tier === 'Standard' ? 'Standard' : 'Advanced' };
        }),

        GetParameter: operation(getParameter, ({ Name, WithDecryption = false }) => {
          const { found, held } = find(Name);
          const isSecure = held.type === 'SecureString';
          if (isSecure && WithDecryption) usable(held.keyId);
          return {
            Parameter: {
              Name: found,
              ARN: arnOf(found),
              Type: held.type,
              // What is encrypted comes out encrypted unless it is asked for otherwise.
              Value:
                isSecure && !WithDecryption
                  ? Buffer.from(`sealed ${found} ${held.version}`).toString('base64')
                  : held.value,
              Version: held.version,
              LastModifiedDate: held.modifiedAt / 1000,
              DataType: 'text',
            },
          };
        }),
      },
    },
  };
}
