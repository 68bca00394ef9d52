import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  RotateSecretCommand,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import * as z from 'zod';
import { type AtlasClient, createAtlasClient } from '../../lib/atlas/client.ts';
import { getGroupServiceAccount, getOrgServiceAccount } from '../../lib/atlas/operations/service-accounts.ts';
import { getSystemStatus } from '../../lib/atlas/operations/system.ts';

/** One secret that was to be rotated, and what could be proven of it. */
export interface RotationProof {
  readonly secret: string;
  readonly account: string;
  readonly mode: 'self' | 'admin';
  readonly scope: 'org' | 'project';
  /** Ids of the old and the new secret in Atlas; null where a value does not say and Atlas does not tell. */
  readonly oldSecretId: string | null;
  readonly newSecretId: string | null;
  /** Until when the old secret works as well. */
  readonly overlapUntil: string | null;
  /** AWSCURRENT is another version than before. */
  readonly moved: boolean;
  /** The new value mints a token, and Atlas takes it. */
  readonly newWorks: boolean;
  /** The value that was replaced still does. */
  readonly oldWorks: boolean;
  /** Calls the rotation made, where somebody counted them. */
  readonly calls: Calls | null;
  readonly seconds: number;
  /** What went wrong, in one sentence. */
  readonly problem: string | null;
}

export interface Calls {
  readonly atlas: number;
  readonly aws: number;
}

/** Where the rotations run: on this machine, or in an AWS account. */
export interface Place {
  readonly client: SecretsManagerClient;
  readonly atlasOrigin: string;
  /** Set where the rotation function has to be named; a deployed secret knows its own. */
  readonly rotationLambdaArn?: string;
  /** Resolves when the rotation is over or can't go on by itself; the labels tell how it ended. */
  readonly settled: (secret: string, versionId: string) => Promise<void>;
  /** Calls made since it was last asked. */
  readonly countCalls?: () => Calls;
}

const Value = z.looseObject({
  clientId: z.string(),
  clientSecret: z.string(),
  orgId: z.string().optional(),
  groupId: z.string().optional(),
  secretId: z.string().optional(),
  adminSecretArn: z.string().optional(),
});
type Value = z.output<typeof Value>;

/** Rotates one secret through Secrets Manager and proves the outcome with the credentials themselves. */
export async function rotateAndProve(place: Place, secret: string): Promise<RotationProof> {
  const { client, rotationLambdaArn } = place;
  const before = await readCurrent(client, secret);
  const facts = {
    secret,
    account: before.value.clientId,
    mode: before.value.adminSecretArn === undefined ? 'self' : 'admin',
    scope: before.value.orgId === undefined ? 'project' : 'org',
  } as const;

  place.countCalls?.();
  const start = performance.now();
  const { VersionId: versionId = '' } = await client.send(
    new RotateSecretCommand({
      SecretId: secret,
      ...(rotationLambdaArn !== undefined && {
        RotationLambdaARN: rotationLambdaArn,
        RotationRules: { AutomaticallyAfterDays: 30 },
      }),
    }),
  );
  await place.settled(secret, versionId);
  const seconds = (performance.now() - start) / 1_000;
  const calls = place.countCalls?.() ?? null;

  const after = await readCurrent(client, secret);
  const moved = after.versionId === versionId && after.versionId !== before.versionId;
  const [newWorks, oldWorks] = [await works(place, after.value), await works(place, before.value)];
  const others = moved && newWorks ? await secretsBeside(place, after.value) : [];
  const old = others.find(({ id }) => id === before.value.secretId) ?? others[0];
  const problem = !moved
    ? 'the rotation did not finish: AWSCURRENT is where it was'
    : !newWorks
      ? 'the new value does not work'
      : !oldWorks
        ? 'the replaced value does not work any more'
        : null;
  return {
    ...facts,
    oldSecretId: before.value.secretId ?? old?.id ?? null,
    newSecretId: moved ? (after.value.secretId ?? null) : null,
    overlapUntil: old?.expiresAt.toISOString() ?? null,
    moved,
    newWorks,
    oldWorks,
    calls,
    seconds,
    problem,
  };
}

/** Waits for a rotation that Secrets Manager drives elsewhere: until its version is current, or `timeoutMs` are over. */
export const settledByLabels =
  (client: SecretsManagerClient, sleep: (ms: number) => Promise<void>, timeoutMs: number) =>
  async (secret: string, versionId: string): Promise<void> => {
    const end = Date.now() + timeoutMs;
    while (Date.now() < end) {
      const { VersionIdsToStages = {} } = await client.send(new DescribeSecretCommand({ SecretId: secret }));
      const stages = VersionIdsToStages[versionId] ?? [];
      if (stages.includes('AWSCURRENT') || !stages.includes('AWSPENDING')) return;
      await sleep(2_000);
    }
  };

async function readCurrent(client: SecretsManagerClient, secret: string): Promise<{ versionId: string; value: Value }> {
  const { VersionId = '', SecretString = '' } = await client.send(new GetSecretValueCommand({ SecretId: secret }));
  const parsed = Value.safeParse(parseJson(SecretString));
  if (!parsed.success) throw new Error(`${secret} does not hold a service account's credentials`);
  return { versionId: VersionId, value: parsed.data };
}

/** A syntax error would quote the secret, so it is not passed on. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const clientOf = ({ atlasOrigin }: Place, { clientId, clientSecret }: Value): AtlasClient =>
  createAtlasClient({ origin: atlasOrigin, credentials: async () => ({ clientId, clientSecret }) });

async function works(place: Place, value: Value): Promise<boolean> {
  const atlas = clientOf(place, value);
  try {
    await atlas.call(getSystemStatus, { params: {} });
    return true;
  } catch {
    return false;
  } finally {
    await atlas.tokens.revoke();
  }
}

/** The account's other secrets, as whoever rotates it sees them. */
async function secretsBeside(place: Place, value: Value): Promise<readonly { id: string; expiresAt: Date }[]> {
  const actor =
    value.adminSecretArn === undefined ? value : (await readCurrent(place.client, value.adminSecretArn)).value;
  const atlas = clientOf(place, actor);
  try {
    const { clientId, orgId, groupId } = value;
    const { secrets } =
      orgId === undefined
        ? await atlas.call(getGroupServiceAccount, { params: { groupId: groupId ?? '', clientId } })
        : await atlas.call(getOrgServiceAccount, { params: { orgId, clientId } });
    return (secrets ?? []).filter(({ id }) => id !== value.secretId);
  } finally {
    await atlas.tokens.revoke();
  }
}
