import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  RotateSecretCommand,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import * as z from 'zod';
import { type AtlasClient, createAtlasClient } from '../../lib/atlas/client.ts';
import { AtlasCredentialsRefused } from '../../lib/atlas/errors.ts';
import { getGroupServiceAccount, getOrgServiceAccount } from '../../lib/atlas/operations/service-accounts.ts';
import { getSystemStatus } from '../../lib/atlas/operations/system.ts';
import { parseJson } from '../../lib/runtime/json.ts';

/** One secret that was to be rotated, and what could be proven of it. */
export interface RotationProof {
  readonly secret: string;
  /** The account's client id, who acts on it, and what it is managed through; null where the value can't be read. */
  readonly account: string | null;
  readonly mode: 'self' | 'admin' | null;
  readonly scope: 'org' | 'project' | null;
  /** Ids of the old and the new secret in Atlas; null where a value does not say and Atlas does not tell. */
  readonly oldSecretId: string | null;
  readonly newSecretId: string | null;
  /** Until when the old secret works as well. */
  readonly overlapUntil: string | null;
  /** AWSCURRENT is another version than before. */
  readonly moved: boolean;
  /** Whether the new value mints a token that Atlas takes: `unknown` where that could not be found out from here. */
  readonly newWorks: Verdict;
  /** The same of the value that was replaced. */
  readonly oldWorks: Verdict;
  /** Calls the rotation made, where somebody counted them. */
  readonly calls: Calls | null;
  readonly seconds: number;
  /** What went wrong, in one sentence. */
  readonly problem: string | null;
}

export type Verdict = 'yes' | 'no' | 'unknown';

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

/**
 * Rotates one secret through Secrets Manager and proves the outcome with the credentials themselves. Never throws for
 * what went wrong with this one: that is the `problem` it answers with.
 */
export async function rotateAndProve(place: Place, secret: string): Promise<RotationProof> {
  const nothing: RotationProof = {
    secret,
    account: null,
    mode: null,
    scope: null,
    oldSecretId: null,
    newSecretId: null,
    overlapUntil: null,
    moved: false,
    newWorks: 'unknown',
    oldWorks: 'unknown',
    calls: null,
    seconds: 0,
    problem: null,
  };
  let known = nothing;
  try {
    const before = await readVersion(place.client, secret);
    known = {
      ...known,
      account: before.value.clientId,
      mode: before.value.adminSecretArn === undefined ? 'self' : 'admin',
      scope: before.value.orgId === undefined ? 'project' : 'org',
      oldSecretId: before.value.secretId ?? null,
    };
    return await rotateFrom(place, before, known);
  } catch (error) {
    return { ...known, problem: error instanceof Error ? error.message : String(error) };
  }
}

async function rotateFrom(place: Place, before: Version, known: RotationProof): Promise<RotationProof> {
  const { client, rotationLambdaArn } = place;
  const { secret } = known;
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
  const timed = { ...known, seconds: (performance.now() - start) / 1_000, calls: place.countCalls?.() ?? null };

  const { VersionIdsToStages = {} } = await client.send(new DescribeSecretCommand({ SecretId: secret }));
  const oldWorks = await works(place, before.value);
  if (!VersionIdsToStages[versionId]?.includes('AWSCURRENT')) {
    return { ...timed, oldWorks, problem: 'the rotation did not finish: AWSCURRENT is where it was' };
  }
  const after = await readVersion(client, secret, versionId);
  const newWorks = await works(place, after.value);
  const others = await secretsBeside(place, after.value);
  const old = others.find(({ id }) => id === before.value.secretId) ?? others[0];
  return {
    ...timed,
    moved: true,
    oldSecretId: known.oldSecretId ?? old?.id ?? null,
    newSecretId: after.value.secretId ?? null,
    overlapUntil: old?.expiresAt.toISOString() ?? null,
    newWorks,
    oldWorks,
    problem: problemWith('the new value', newWorks) ?? problemWith('the replaced value', oldWorks),
  };
}

const problemWith = (what: string, verdict: Verdict): string | null =>
  ({ yes: null, no: `${what} does not work`, unknown: `whether ${what} works could not be found out from here` })[
    verdict
  ];

/** Waits for a rotation that Secrets Manager drives elsewhere: until its version is current, or `timeoutMs` are over. */
export const settledByLabels =
  (client: SecretsManagerClient, sleep: (ms: number) => Promise<void>, timeoutMs: number) =>
  async (secret: string, versionId: string): Promise<void> => {
    const end = Date.now() + timeoutMs;
    while (Date.now() < end) {
      const { VersionIdsToStages = {} } = await client.send(new DescribeSecretCommand({ SecretId: secret }));
      // Not listed is not over: a version may take a moment to be seen.
      const stages = VersionIdsToStages[versionId];
      if (stages?.includes('AWSCURRENT') || (stages && !stages.includes('AWSPENDING'))) return;
      await sleep(2_000);
    }
  };

interface Version {
  readonly versionId: string;
  readonly value: Value;
}

/** The current version, or the one named: by its id, because what a label points at may be seen late. */
async function readVersion(client: SecretsManagerClient, secret: string, versionId?: string): Promise<Version> {
  const { VersionId = '', SecretString = '' } = await client.send(
    new GetSecretValueCommand({
      SecretId: secret,
      ...(versionId === undefined ? { VersionStage: 'AWSCURRENT' } : { VersionId: versionId }),
    }),
  );
  const parsed = Value.safeParse(parseJson(SecretString));
  if (!parsed.success) throw new Error(`${secret} does not hold a service account's credentials`);
  return { versionId: VersionId, value: parsed.data };
}

const clientOf = ({ atlasOrigin }: Place, { clientId, clientSecret }: Value): AtlasClient =>
  createAtlasClient({ origin: atlasOrigin, credentials: async () => ({ clientId, clientSecret }) });

/** Only a refused credential is a no: a rate limit, an access list or a cut line say nothing of it. */
async function works(place: Place, value: Value): Promise<Verdict> {
  const atlas = clientOf(place, value);
  try {
    await atlas.call(getSystemStatus, { params: {} });
    return 'yes';
  } catch (error) {
    return error instanceof AtlasCredentialsRefused ? 'no' : 'unknown';
  } finally {
    await atlas.tokens.revoke();
  }
}

/** The account's other secrets, as whoever rotates it sees them. */
async function secretsBeside(place: Place, value: Value): Promise<readonly { id: string; expiresAt: Date }[]> {
  const actor =
    value.adminSecretArn === undefined ? value : (await readVersion(place.client, value.adminSecretArn)).value;
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
