import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { CreateSecretCommand, RotateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import Table from 'cli-table3';
import * as z from 'zod';
import { buildBundles } from '../../infra/build.ts';
import { createAtlasSandbox } from '../../infra/local/atlas-sandbox/sandbox.ts';
import { createEmbeddedAws } from '../../infra/local/aws/embedded-aws.ts';

const ROUNDS = 15;
const run = promisify(execFile);
const Timing = z.object({ import: z.number(), call: z.number(), ready: z.number() });
type Timing = z.output<typeof Timing>;

interface Subject {
  readonly name: string;
  readonly bundle: string;
  readonly flags: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** The event of the next round: every round is a first one. */
  readonly event: () => Promise<unknown>;
}

/**
 * Import and first call of the rotation bundle, in fresh processes, against the services on loopback, as a ratio to an
 * empty handler. Variants take turns, so that what slows the machine slows them all. Quote the ratios: the times are
 * this machine's.
 */
export async function benchCold(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'atlas-automation-bench-'));
  await using stack = new AsyncDisposableStack();
  stack.defer(() => rm(folder, { recursive: true, force: true }));

  await buildBundles({ outdir: folder });
  await mkdir(path.join(folder, 'empty'));
  await writeFile(path.join(folder, 'empty/index.mjs'), 'export const handler = async () => ({});\n');
  const bundle = path.join(folder, 'rotate-service-account-secret');

  const atlas = createAtlasSandbox();
  const aws = createEmbeddedAws();
  const atlasServer = stack.use(await atlas.listen());
  const awsServer = stack.use(await aws.listen());
  const credentials = { accessKeyId: 'bench', secretAccessKey: 'bench' };
  const client = stack.adopt(
    new SecretsManagerClient({ region: 'us-east-1', endpoint: awsServer.origin, credentials }),
    (it) => it.destroy(),
  );

  const createSecretStep = async (): Promise<unknown> => {
    const name = randomUUID();
    const org = atlas.world.addOrg({ name });
    const account = atlas.world.addOrgAccount(org, { name, roles: ['ORG_OWNER'] });
    const SecretString = JSON.stringify({
      clientId: account.clientId,
      clientSecret: atlas.world.addSecret(account).value,
      orgId: org.id,
    });
    const { ARN: SecretId } = await client.send(new CreateSecretCommand({ Name: name, SecretString }));
    const { VersionId: ClientRequestToken } = await client.send(
      new RotateSecretCommand({
        SecretId,
        RotationLambdaARN: 'arn:aws:lambda:us-east-1:000000000000:function:bench',
        RotationRules: { AutomaticallyAfterDays: 30 },
      }),
    );
    return { SecretId, ClientRequestToken, Step: 'createSecret' };
  };
  const environment = {
    MONGODB_ATLAS_BASE_URL: atlasServer.origin,
    AWS_ENDPOINT_URL: awsServer.origin,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  };
  const entry = path.join(bundle, 'index.mjs');
  const subjects: Subject[] = [
    {
      name: 'empty handler',
      bundle: path.join(folder, 'empty/index.mjs'),
      flags: [],
      environment: {},
      event: async () => ({}),
    },
    { name: 'rotate, createSecret', bundle: entry, flags: [], environment, event: createSecretStep },
    {
      name: 'rotate, with source maps',
      bundle: entry,
      flags: ['--enable-source-maps'],
      environment,
      event: createSecretStep,
    },
  ];

  const timings = new Map<Subject, Timing[]>(subjects.map((subject) => [subject, []]));
  for (let round = 0; round <= ROUNDS; round++) {
    for (const subject of subjects) {
      const timing = await coldStart(subject);
      // The first round warms the file cache.
      if (round > 0) timings.get(subject)?.push(timing);
    }
  }

  const empty = median(timings.get(subjects[0] ?? never())?.map(({ ready }) => ready) ?? []);
  const table = new Table({
    head: ['median of 15, ms', 'import', 'first call', 'process to answer', 'ratio to empty'],
    style: { head: [], border: [], compact: true },
  });
  for (const [{ name }, taken] of timings) {
    const of = (key: keyof Timing): number => median(taken.map((timing) => timing[key]));
    table.push([
      name,
      of('import').toFixed(1),
      of('call').toFixed(1),
      of('ready').toFixed(1),
      (of('ready') / empty).toFixed(2),
    ]);
  }
  return `${table.toString()}\n${await sizeOf(bundle)}\n`;
}

async function coldStart({ bundle, flags, environment, event }: Subject): Promise<Timing> {
  const script = fileURLToPath(new URL('cold-start.mjs', import.meta.url));
  const { stderr } = await run(
    process.execPath,
    [...flags, script, pathToFileURL(bundle).href, JSON.stringify(await event())],
    { env: environment },
  );
  return Timing.parse(JSON.parse(stderr.slice(stderr.lastIndexOf('{'))));
}

async function sizeOf(bundle: string): Promise<string> {
  const files = (await readdir(bundle)).filter((file) => file.endsWith('.mjs'));
  const contents = await Promise.all(files.map((file) => readFile(path.join(bundle, file))));
  const bytes = contents.reduce((sum, content) => sum + content.length, 0);
  const zipped = contents.reduce((sum, content) => sum + gzipSync(content).length, 0);
  const entry = contents[files.indexOf('index.mjs')]?.length ?? 0;
  return `rotate-service-account-secret: ${bytes} bytes in ${files.length} files (${entry} loaded at start), ${zipped} bytes compressed`;
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
const never = (): never => {
  throw new Error('there is nothing to measure');
};
