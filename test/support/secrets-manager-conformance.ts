import { randomUUID } from 'node:crypto';
import { EventBridgeClient, PutEventsCommand, type PutEventsRequestEntry } from '@aws-sdk/client-eventbridge';
import {
  CancelRotateSecretCommand,
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  ListSecretsCommand,
  ListSecretVersionIdsCommand,
  PutSecretValueCommand,
  RestoreSecretCommand,
  RotateSecretCommand,
  SecretsManagerClient,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateSecretCommand,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { expect, test } from 'vitest';

/** Where an implementation departs from the documented service. Stated, so that a later fix shows as a failing test. */
export interface Difference {
  readonly behaviour: string;
  readonly why: string;
  /** What this implementation shows instead of what is documented. */
  readonly shows: unknown;
}

interface Aws {
  readonly secrets: SecretsManagerClient;
  readonly events: EventBridgeClient;
  /** A name no other behaviour uses. */
  readonly name: string;
}

interface Behaviour {
  readonly behaviour: string;
  readonly documented: unknown;
  readonly observe: (aws: Aws) => Promise<unknown>;
}

const settings = (endpoint: string) => ({
  endpoint,
  region: 'us-east-1',
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  maxAttempts: 1,
});

/**
 * Defines one test per behaviour of Secrets Manager and PutEvents, against nothing but an endpoint.
 *
 * A behaviour named in `differences` must show exactly the stated difference.
 */
export function secretsManagerConformance(endpoint: () => string, differences: readonly Difference[] = []): void {
  test('every stated difference is about a behaviour below and is one', () => {
    const wrong = differences.filter(({ behaviour, shows }) => {
      const known = behaviours.find((b) => b.behaviour === behaviour);
      return !known || JSON.stringify(known.documented) === JSON.stringify(shows);
    });
    expect(wrong).toEqual([]);
  });
  test.each(behaviours)('$behaviour', async ({ behaviour, documented, observe }) => {
    using secrets = disposable(new SecretsManagerClient(settings(endpoint())));
    using events = disposable(new EventBridgeClient(settings(endpoint())));
    const aws = { secrets: secrets.client, events: events.client, name: `conformance/${randomUUID()}` };
    const difference = differences.find((d) => d.behaviour === behaviour);
    expect(await observe(aws), difference?.why ?? '').toEqual(difference ? difference.shows : documented);
  });
}

const disposable = <T extends { destroy(): void }>(client: T) => ({ client, [Symbol.dispose]: () => client.destroy() });

/** Version ids, so that a state can be written down. */
const version = (n: number): string => `00000000-0000-4000-8000-00000000000${n}`;
const [v1, v2, v3] = [version(1), version(2), version(3)];
const functionArn = 'arn:aws:lambda:us-east-1:000000000000:function:none';

const outcome = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'accepted',
    (error: unknown) => (error instanceof Error ? error.name : String(error)),
  );
const create = ({ secrets, name }: Aws, SecretString: string | undefined = 'one') =>
  secrets.send(
    new CreateSecretCommand({
      Name: name,
      ClientRequestToken: v1,
      ...(SecretString !== undefined && { SecretString }),
    }),
  );
const put = ({ secrets, name }: Aws, token: string, SecretString: string, VersionStages?: string[]) =>
  secrets.send(
    new PutSecretValueCommand({
      SecretId: name,
      ClientRequestToken: token,
      SecretString,
      ...(VersionStages && { VersionStages }),
    }),
  );
const move = ({ secrets, name }: Aws, VersionStage: string, from: string | undefined, to: string | undefined) =>
  secrets.send(
    new UpdateSecretVersionStageCommand({
      SecretId: name,
      VersionStage,
      ...(from && { RemoveFromVersionId: from }),
      ...(to && { MoveToVersionId: to }),
    }),
  );
const read = ({ secrets, name }: Aws, wanted: { VersionId?: string; VersionStage?: string } = {}) =>
  secrets.send(new GetSecretValueCommand({ SecretId: name, ...wanted })).then(
    ({ SecretString }) => SecretString,
    (error: unknown) => (error instanceof Error ? error.name : String(error)),
  );
const describe = ({ secrets, name }: Aws) => secrets.send(new DescribeSecretCommand({ SecretId: name }));
/** Labels by version, versions as v1, v2, …; without those that have none. */
const labels = async (aws: Aws): Promise<Record<string, string[]>> => {
  const { VersionIdsToStages = {} } = await describe(aws);
  return Object.fromEntries(
    Object.entries(VersionIdsToStages)
      .filter(([, stages]) => stages.length > 0)
      .map(([id, stages]): [string, string[]] => [`v${id.slice(-1)}`, [...stages].sort()])
      .sort(([a], [b]) => a.localeCompare(b)),
  );
};
/**
 * Brings the secret to where AWS calls a rotation function: an empty AWSPENDING version.
 * The function does not exist; an implementation that says so must have prepared the version by then.
 */
const startRotation = ({ secrets, name }: Aws, token: string) =>
  outcome(
    secrets.send(
      new RotateSecretCommand({
        SecretId: name,
        ClientRequestToken: token,
        RotationLambdaARN: functionArn,
        RotationRules: { AutomaticallyAfterDays: 30 },
      }),
    ),
  );
const good: PutEventsRequestEntry = { Source: 'conformance', DetailType: 'Something', Detail: '{"a":1}' };
const putEvents = async ({ events }: Aws, entries: PutEventsRequestEntry[]) => {
  const { FailedEntryCount, Entries = [] } = await events.send(new PutEventsCommand({ Entries: entries }));
  return { FailedEntryCount, Entries: Entries.map(({ EventId, ErrorCode }) => (EventId ? 'put' : ErrorCode)) };
};

const behaviours: readonly Behaviour[] = [
  {
    behaviour: 'CreateSecret with a value makes a current version named by the token',
    documented: { v1: ['AWSCURRENT'] },
    observe: async (aws) => {
      await create(aws);
      return labels(aws);
    },
  },
  {
    behaviour: 'CreateSecret again with the same token and value is accepted',
    documented: 'accepted',
    observe: async (aws) => {
      await create(aws);
      return outcome(create(aws));
    },
  },
  {
    behaviour: 'CreateSecret again with another value is refused',
    documented: 'ResourceExistsException',
    observe: async (aws) => {
      await create(aws);
      return outcome(create(aws, 'other'));
    },
  },
  {
    behaviour: 'a secret is found by name, by ARN and by ARN without its random end',
    documented: ['one', 'one', 'one'],
    observe: async (aws) => {
      const { ARN = '' } = await create(aws);
      return Promise.all([aws.name, ARN, ARN.slice(0, -7)].map((name) => read({ ...aws, name })));
    },
  },
  {
    behaviour: 'an ARN ends in the name, a hyphen and six characters',
    documented: true,
    observe: async (aws) => {
      const { ARN = '' } = await create(aws);
      return /:secret:conformance\/[\w-]{36}-[A-Za-z0-9]{6}$/.test(ARN);
    },
  },
  {
    behaviour: 'a secret that does not exist is ResourceNotFoundException',
    documented: 'ResourceNotFoundException',
    observe: (aws) => read(aws),
  },
  {
    behaviour: 'ResourceNotFoundException comes with status 400',
    documented: 400,
    observe: ({ secrets, name }) =>
      secrets.send(new GetSecretValueCommand({ SecretId: name })).catch((error) => error.$metadata?.httpStatusCode),
  },
  {
    behaviour: 'PutSecretValue without labels becomes current and the former current becomes previous',
    documented: { v1: ['AWSPREVIOUS'], v2: ['AWSCURRENT'] },
    observe: async (aws) => {
      await create(aws);
      await put(aws, v2, 'two');
      return labels(aws);
    },
  },
  {
    behaviour: 'PutSecretValue with AWSPENDING leaves AWSCURRENT where it is',
    documented: { v1: ['AWSCURRENT'], v2: ['AWSPENDING'] },
    observe: async (aws) => {
      await create(aws);
      await put(aws, v2, 'two', ['AWSPENDING']);
      return labels(aws);
    },
  },
  {
    behaviour: 'PutSecretValue takes its labels from whatever version has them',
    documented: { v1: ['AWSCURRENT'], v3: ['AWSPENDING'] },
    observe: async (aws) => {
      await create(aws);
      await put(aws, v2, 'two', ['AWSPENDING']);
      await put(aws, v3, 'three', ['AWSPENDING']);
      return labels(aws);
    },
  },
  {
    behaviour: 'the first value is current whatever labels it is put with',
    documented: { v1: ['AWSCURRENT', 'AWSPENDING'] },
    observe: async (aws) => {
      await aws.secrets.send(new CreateSecretCommand({ Name: aws.name }));
      await put(aws, v1, 'one', ['AWSPENDING']);
      return labels(aws);
    },
  },
  {
    behaviour: 'PutSecretValue again with the same token and value is accepted',
    documented: 'accepted',
    observe: async (aws) => {
      await create(aws);
      await put(aws, v2, 'two');
      return outcome(put(aws, v2, 'two'));
    },
  },
  {
    behaviour: 'PutSecretValue again with another value is refused',
    documented: 'ResourceExistsException',
    observe: async (aws) => {
      await create(aws);
      await put(aws, v2, 'two');
      return outcome(put(aws, v2, 'other'));
    },
  },
  {
    behaviour: 'a pending version is as immutable as any other',
    documented: ['ResourceExistsException', 'two'],
    observe: async (aws) => {
      await create(aws);
      await put(aws, v2, 'two', ['AWSPENDING']);
      return [await outcome(put(aws, v2, 'other', ['AWSPENDING'])), await read(aws, { VersionId: v2 })];
    },
  },
  {
    behaviour: 'UpdateSecret with a value makes a new current version',
    documented: { v1: ['AWSPREVIOUS'], v2: ['AWSCURRENT'] },
    observe: async (aws) => {
      await create(aws);
      const { secrets, name } = aws;
      await secrets.send(new UpdateSecretCommand({ SecretId: name, ClientRequestToken: v2, SecretString: 'two' }));
      return labels(aws);
    },
  },
  {
    behaviour: 'UpdateSecret with a token in use is refused',
    documented: 'ResourceExistsException',
    observe: async (aws) => {
      await create(aws);
      const { secrets, name } = aws;
      return outcome(
        secrets.send(new UpdateSecretCommand({ SecretId: name, ClientRequestToken: v1, SecretString: 'one' })),
      );
    },
  },
  {
    behaviour: 'moving AWSCURRENT from the version that has it swaps current and previous',
    documented: [{ v1: ['AWSPREVIOUS'], v2: ['AWSCURRENT', 'AWSPENDING'] }, 'two'],
    observe: async (aws) => {
      await create(aws);
      await put(aws, v2, 'two', ['AWSPENDING']);
      await move(aws, 'AWSCURRENT', v1, v2);
      return [await labels(aws), await read(aws, { VersionStage: 'AWSCURRENT' })];
    },
  },
  {
    behaviour: 'a read without stage or version gives the current version after a move',
    documented: 'two',
    observe: async (aws) => {
      await create(aws);
      await put(aws, v2, 'two', ['AWSPENDING']);
      await move(aws, 'AWSCURRENT', v1, v2);
      return read(aws);
    },
  },
  {
    behaviour: 'a value put after a move leaves one current and one previous version',
    documented: { v2: ['AWSPREVIOUS'], v3: ['AWSCURRENT'] },
    observe: async (aws) => {
      await create(aws);
      await put(aws, v2, 'two', ['AWSPENDING']);
      await move(aws, 'AWSCURRENT', v1, v2);
      await move(aws, 'AWSPENDING', v2, undefined);
      await put(aws, v3, 'three');
      return labels(aws);
    },
  },
  {
    behaviour: 'moving AWSCURRENT without naming its version is refused',
    documented: 'InvalidParameterException',
    observe: async (aws) => {
      await create(aws);
      await put(aws, v2, 'two', ['AWSPENDING']);
      return outcome(move(aws, 'AWSCURRENT', undefined, v2));
    },
  },
  {
    behaviour: 'moving AWSCURRENT from a version that does not have it is refused',
    documented: ['InvalidParameterException', { v1: ['AWSPREVIOUS'], v2: ['AWSCURRENT'], v3: ['AWSPENDING'] }],
    observe: async (aws) => {
      await create(aws);
      await put(aws, v2, 'two');
      await put(aws, v3, 'three', ['AWSPENDING']);
      return [await outcome(move(aws, 'AWSCURRENT', v1, v3)), await labels(aws)];
    },
  },
  {
    behaviour: 'moving any other label without naming its version is refused too',
    documented: ['InvalidParameterException', { v1: ['AWSCURRENT'], v2: ['AWSPENDING'] }],
    observe: async (aws) => {
      await create(aws);
      await put(aws, v2, 'two', ['AWSPENDING']);
      return [await outcome(move(aws, 'AWSPENDING', undefined, v1)), await labels(aws)];
    },
  },
  {
    behaviour: 'AWSCURRENT cannot be taken off',
    documented: ['InvalidParameterException', { v1: ['AWSCURRENT'] }],
    observe: async (aws) => {
      await create(aws);
      return [await outcome(move(aws, 'AWSCURRENT', v1, undefined)), await labels(aws)];
    },
  },
  ...['AWSPENDING', 'AWSPREVIOUS'].map((label) => ({
    behaviour: `${label} can be taken off`,
    documented: ['accepted', false],
    observe: async (aws: Aws) => {
      await create(aws);
      await put(aws, v2, 'two', label === 'AWSPENDING' ? [label] : ['AWSCURRENT']);
      const from = label === 'AWSPENDING' ? v2 : v1;
      return [
        await outcome(move(aws, label, from, undefined)),
        Object.values(await labels(aws))
          .flat()
          .includes(label),
      ];
    },
  })),
  {
    behaviour: 'a version without labels can still be read by its id',
    documented: 'one',
    observe: async (aws) => {
      await create(aws);
      await put(aws, v2, 'two');
      await put(aws, v3, 'three');
      return read(aws, { VersionId: v1 });
    },
  },
  {
    behaviour: 'versions without labels are listed only on demand',
    documented: [2, 3],
    observe: async (aws) => {
      await create(aws);
      await put(aws, v2, 'two');
      await put(aws, v3, 'three');
      const list = (IncludeDeprecated: boolean) =>
        aws.secrets.send(new ListSecretVersionIdsCommand({ SecretId: aws.name, IncludeDeprecated }));
      return Promise.all([false, true].map(async (all) => (await list(all)).Versions?.length));
    },
  },
  {
    behaviour: 'DescribeSecret leaves out versions without labels',
    documented: 2,
    observe: async (aws) => {
      await create(aws);
      await put(aws, v2, 'two');
      await put(aws, v3, 'three');
      return Object.keys((await describe(aws)).VersionIdsToStages ?? {}).length;
    },
  },
  {
    behaviour: 'a read by id and a stage of another version is refused',
    documented: 'InvalidRequestException',
    observe: async (aws) => {
      await create(aws);
      await put(aws, v2, 'two', ['AWSPENDING']);
      return read(aws, { VersionId: v2, VersionStage: 'AWSCURRENT' });
    },
  },
  {
    behaviour: 'a stage that no version has is ResourceNotFoundException',
    documented: 'ResourceNotFoundException',
    observe: async (aws) => {
      await create(aws);
      return read(aws, { VersionStage: 'AWSPENDING' });
    },
  },
  {
    behaviour: 'RotationEnabled is absent for a secret never configured for rotation',
    documented: 'absent',
    observe: async (aws) => {
      await create(aws);
      return (await describe(aws)).RotationEnabled ?? 'absent';
    },
  },
  {
    behaviour: 'RotateSecret without a function is refused',
    documented: ['InvalidRequestException', { v1: ['AWSCURRENT'] }],
    observe: async (aws) => {
      await create(aws);
      const { secrets, name } = aws;
      return [
        await outcome(secrets.send(new RotateSecretCommand({ SecretId: name, ClientRequestToken: v2 }))),
        await labels(aws),
      ];
    },
  },
  {
    behaviour: 'RotateSecret attaches AWSPENDING to a version without a value and turns rotation on',
    documented: [{ v1: ['AWSCURRENT'], v2: ['AWSPENDING'] }, 'ResourceNotFoundException', true],
    observe: async (aws) => {
      await create(aws);
      await startRotation(aws, v2);
      const { RotationEnabled } = await describe(aws);
      return [await labels(aws), await read(aws, { VersionId: v2, VersionStage: 'AWSPENDING' }), RotationEnabled];
    },
  },
  {
    behaviour: 'the empty pending version takes a value under its token and keeps its label',
    documented: ['accepted', 'two', { v1: ['AWSCURRENT'], v2: ['AWSPENDING'] }],
    observe: async (aws) => {
      await create(aws);
      await startRotation(aws, v2);
      const stored = await outcome(put(aws, v2, 'two', ['AWSPENDING']));
      return [stored, await read(aws, { VersionId: v2 }), await labels(aws)];
    },
  },
  {
    behaviour: 'the same value put twice into the pending version is accepted',
    documented: 'accepted',
    observe: async (aws) => {
      await create(aws);
      await startRotation(aws, v2);
      await put(aws, v2, 'two', ['AWSPENDING']);
      return outcome(put(aws, v2, 'two', ['AWSPENDING']));
    },
  },
  {
    behaviour: 'RotateSecret is refused while AWSPENDING is on a version that is not current',
    documented: ['InvalidRequestException', { v1: ['AWSCURRENT'], v2: ['AWSPENDING'] }],
    observe: async (aws) => {
      await create(aws);
      await startRotation(aws, v2);
      return [await startRotation(aws, v3), await labels(aws)];
    },
  },
  {
    behaviour: 'RotateSecret is accepted while AWSPENDING is on the current version',
    documented: { v1: ['AWSPREVIOUS'], v2: ['AWSCURRENT'], v3: ['AWSPENDING'] },
    observe: async (aws) => {
      await create(aws);
      await put(aws, v2, 'two', ['AWSPENDING']);
      await move(aws, 'AWSCURRENT', v1, v2);
      await startRotation(aws, v3);
      return labels(aws);
    },
  },
  {
    behaviour: 'RotateSecret works again once AWSPENDING was taken off',
    documented: { v1: ['AWSCURRENT'], v3: ['AWSPENDING'] },
    observe: async (aws) => {
      await create(aws);
      await startRotation(aws, v2);
      await move(aws, 'AWSPENDING', v2, undefined);
      await startRotation(aws, v3);
      return labels(aws);
    },
  },
  {
    behaviour: 'a value put by someone else during a rotation takes AWSPENDING off',
    documented: { v1: ['AWSPREVIOUS'], v3: ['AWSCURRENT'] },
    observe: async (aws) => {
      await create(aws);
      await startRotation(aws, v2);
      await put(aws, v3, 'three');
      return labels(aws);
    },
  },
  {
    behaviour: 'CancelRotateSecret turns rotation off and leaves AWSPENDING',
    documented: [false, { v1: ['AWSCURRENT'], v2: ['AWSPENDING'] }],
    observe: async (aws) => {
      await create(aws);
      await startRotation(aws, v2);
      await aws.secrets.send(new CancelRotateSecretCommand({ SecretId: aws.name }));
      return [(await describe(aws)).RotationEnabled, await labels(aws)];
    },
  },
  {
    behaviour: 'CancelRotateSecret is refused for a secret never configured for rotation',
    documented: 'InvalidRequestException',
    observe: async (aws) => {
      await create(aws);
      return outcome(aws.secrets.send(new CancelRotateSecretCommand({ SecretId: aws.name })));
    },
  },
  ...(
    [
      ['GetSecretValue', (aws: Aws) => read(aws)],
      ['PutSecretValue', (aws: Aws) => outcome(put(aws, v2, 'two'))],
      ['UpdateSecretVersionStage', (aws: Aws) => outcome(move(aws, 'X', undefined, v1))],
      ['RotateSecret', (aws: Aws) => startRotation(aws, v2)],
    ] as const
  ).map(([operation, call]) => ({
    behaviour: `${operation} is refused while deletion is scheduled`,
    documented: 'InvalidRequestException',
    observe: async (aws: Aws) => {
      await create(aws);
      await aws.secrets.send(new DeleteSecretCommand({ SecretId: aws.name, RecoveryWindowInDays: 7 }));
      return call(aws);
    },
  })),
  {
    behaviour: 'RestoreSecret makes the value readable again',
    documented: 'one',
    observe: async (aws) => {
      await create(aws);
      await aws.secrets.send(new DeleteSecretCommand({ SecretId: aws.name }));
      await aws.secrets.send(new RestoreSecretCommand({ SecretId: aws.name }));
      return read(aws);
    },
  },
  {
    behaviour: 'the recovery window is counted in whole days from now',
    documented: 7,
    observe: async (aws) => {
      await create(aws);
      const { secrets, name } = aws;
      const { DeletionDate } = await secrets.send(new DeleteSecretCommand({ SecretId: name, RecoveryWindowInDays: 7 }));
      return Math.round(((DeletionDate?.getTime() ?? 0) - Date.now()) / 86_400_000);
    },
  },
  {
    behaviour: 'the name of a secret scheduled for deletion cannot be used',
    documented: 'InvalidRequestException',
    observe: async (aws) => {
      await create(aws);
      await aws.secrets.send(new DeleteSecretCommand({ SecretId: aws.name }));
      return outcome(create(aws, 'other'));
    },
  },
  {
    behaviour: 'a secret deleted without recovery is gone',
    documented: 'ResourceNotFoundException',
    observe: async (aws) => {
      await create(aws);
      await aws.secrets.send(new DeleteSecretCommand({ SecretId: aws.name, ForceDeleteWithoutRecovery: true }));
      return read(aws);
    },
  },
  {
    behaviour: 'tags are added, replaced and removed by key',
    documented: [{ Key: 'a', Value: '2' }],
    observe: async (aws) => {
      await create(aws);
      const { secrets, name: SecretId } = aws;
      const tag = (Key: string, Value: string) =>
        secrets.send(new TagResourceCommand({ SecretId, Tags: [{ Key, Value }] }));
      await tag('a', '1');
      await tag('b', '1');
      await tag('a', '2');
      await secrets.send(new UntagResourceCommand({ SecretId, TagKeys: ['b'] }));
      return (await describe(aws)).Tags;
    },
  },
  {
    behaviour: 'ListSecrets filters by the beginning of a name',
    documented: 1,
    observe: async (aws) => {
      await create(aws);
      const Filters = [{ Key: 'name' as const, Values: [aws.name.slice(0, -3)] }];
      return (await aws.secrets.send(new ListSecretsCommand({ Filters }))).SecretList?.length;
    },
  },
  {
    behaviour: 'PutEvents answers every entry in its place',
    documented: { FailedEntryCount: 2, Entries: ['put', 'MalformedDetail', 'InvalidArgument', 'put'] },
    observe: (aws) => putEvents(aws, [good, { ...good, Detail: '{' }, { ...good, Source: '' }, good]),
  },
  {
    behaviour: 'PutEvents refuses more than ten entries',
    documented: 'ValidationException',
    observe: (aws) =>
      outcome(
        putEvents(
          aws,
          Array.from({ length: 11 }, () => good),
        ),
      ),
  },
  {
    behaviour: 'PutEvents keeps the sources of AWS services for AWS',
    documented: { FailedEntryCount: 1, Entries: ['NotAuthorizedForSourceException', 'put'] },
    observe: (aws) => putEvents(aws, [{ ...good, Source: 'aws.secretsmanager' }, good]),
  },
  {
    behaviour: 'PutEvents refuses requests over 1 MiB',
    documented: 'ValidationException',
    observe: (aws) => outcome(putEvents(aws, [{ ...good, Detail: JSON.stringify({ a: 'x'.repeat(1024 * 1024) }) }])),
  },
];
