import { createHmac, randomUUID } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  CloudFormationClient,
  CreateStackCommand,
  DeleteStackCommand,
  waitUntilStackCreateComplete,
} from '@aws-sdk/client-cloudformation';
import { DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { GetQueueAttributesCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it, vi } from 'vitest';
import { createAtlasSandbox } from '../../infra/local/atlas-sandbox/sandbox.ts';
import { checkAws } from '../../infra/local/doctor/aws-checks.ts';
import { type LocalHostOptions, startLocalHost } from '../../infra/local/serve/local-host.ts';
import { findRealAws } from '../../infra/local/serve/real-aws.ts';
import { synthesize } from '../../infra/local/serve/synthesis.ts';
import { createTicketSandbox } from '../../infra/local/ticket-sandbox/sandbox.ts';
import { Settings } from '../../infra/settings.ts';

const KEY = 'what Atlas signs with';
const SLOW = { timeout: 120_000, interval: 250 };

const key = { AttributeType: 'S' };
/** The emulator gives a queue without a name one that no FIFO queue may have. */
const named = (what: string) => ({ 'Fn::Sub': `\${AWS::StackName}-${what}.fifo` });
/** What the stack of the data deploys, by its ids, and nothing of its protection. */
const TEMPLATE = JSON.stringify({
  Resources: {
    State1C20CC9A: {
      Type: 'AWS::DynamoDB::Table',
      Properties: {
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [
          { AttributeName: 'pk', ...key },
          { AttributeName: 'sk', ...key },
        ],
        KeySchema: [
          { AttributeName: 'pk', KeyType: 'HASH' },
          { AttributeName: 'sk', KeyType: 'RANGE' },
        ],
      },
    },
    Reports65402A0A: { Type: 'AWS::S3::Bucket' },
    AlertDeadLettersF434D1E0: { Type: 'AWS::SQS::Queue', Properties: { FifoQueue: true, QueueName: named('dead') } },
    Alerts91F83244: {
      Type: 'AWS::SQS::Queue',
      Properties: {
        FifoQueue: true,
        QueueName: named('alerts'),
        VisibilityTimeout: 360,
        RedrivePolicy: {
          deadLetterTargetArn: { 'Fn::GetAtt': ['AlertDeadLettersF434D1E0', 'Arn'] },
          maxReceiveCount: 10,
        },
      },
    },
  },
});

const left = new AsyncDisposableStack();
const file = path.join(tmpdir(), `atlas-automation-profile-${randomUUID()}`);
let deployed: Awaited<ReturnType<typeof elsewhere>>;

/** As somebody who signed in: a profile, and nothing in the environment that is a credential. */
function signIn(): void {
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', file);
  vi.stubEnv('AWS_PROFILE', 'trial');
  vi.stubEnv('AWS_ACCESS_KEY_ID', undefined);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', undefined);
  vi.stubEnv('AWS_REGION', 'eu-central-1');
}
beforeEach(signIn);
beforeAll(async () => {
  if (!process.env['AWS_ENDPOINT_URL'])
    throw new Error("AWS_ENDPOINT_URL must be the origin of moto's server, e.g. http://127.0.0.1:5055");
  await writeFile(file, '[trial]\naws_access_key_id = trial\naws_secret_access_key = trial\n');
  left.defer(() => rm(file));
  signIn();
  deployed = await elsewhere();
}, 120_000);
afterAll(() => left.disposeAsync());

/** A deployed stack, an Atlas and a tracker elsewhere, and the secrets that lead there. */
async function elsewhere() {
  const name = `trial-${randomUUID().slice(0, 8)}`;
  const cloudFormation = new CloudFormationClient({});
  await cloudFormation.send(new CreateStackCommand({ StackName: `${name}-data`, TemplateBody: TEMPLATE }));
  await waitUntilStackCreateComplete({ client: cloudFormation, maxWaitTime: 60 }, { StackName: `${name}-data` });
  left.defer(async () => {
    await cloudFormation.send(new DeleteStackCommand({ StackName: `${name}-data` })).catch(() => {});
    cloudFormation.destroy();
  });

  const atlas = createAtlasSandbox();
  const atlasServer = left.use(await atlas.listen());
  const org = atlas.world.addOrg({ name: 'Elsewhere' });
  const project = atlas.world.addProject(org, { name: 'shop' });
  atlas.world.clusters.add(project, { name: 'orders', tier: 'M30', backupEnabled: false });
  const owner = atlas.world.addOrgAccount(org, { name: 'automation', roles: ['ORG_OWNER'] });
  const account = JSON.stringify({ clientId: owner.clientId, clientSecret: atlas.world.addSecret(owner).value });

  const trackers = createTicketSandbox();
  const trackerServer = left.use(await trackers.listen());
  const destination = trackers.destinations(trackerServer.origin).find(({ type }) => type === 'github');
  const trackerSecret = String(destination?.['secret']);

  const secrets = new SecretsManagerClient({});
  const put = async (Name: string, SecretString: string): Promise<string> => {
    const created = `${name}/${Name}`;
    await secrets.send(new CreateSecretCommand({ Name: created, SecretString }));
    return created;
  };
  const credentials = { secret: await put('atlas', account) };
  const settings = Settings.parse({
    stack: { name },
    atlas: { credentials: { audit: credentials, tickets: credentials } },
    tickets: {
      destinations: [{ ...destination, secret: await put('tracker', trackers.secrets[trackerSecret] ?? '') }],
      policy: { groupWaitSeconds: 0, groupIntervalSeconds: 0 },
    },
    webhooks: { atlas: { secret: await put('webhook', JSON.stringify({ current: KEY })) } },
  });
  secrets.destroy();
  const aws = await findRealAws(settings, process.env);
  const real: LocalHostOptions = {
    settings,
    resources: await synthesize(settings),
    bundles: inject('bundles'),
    atlas: { origin: atlasServer.origin, credentials: async () => undefined },
    aws,
  };
  return { name, aws, real, trackers, project };
}

const messagesIn = async (QueueUrl: string): Promise<number> => {
  const sqs = new SQSClient({});
  const AttributeNames = ['ApproximateNumberOfMessages' as const, 'ApproximateNumberOfMessagesNotVisible' as const];
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames }));
  sqs.destroy();
  return Object.values(Attributes ?? {}).reduce((sum, count) => sum + Number(count), 0);
};

const stored = async (Bucket: string, TableName: string): Promise<{ objects: string[]; items: number }> => {
  const s3 = new S3Client({ forcePathStyle: true });
  const dynamoDb = new DynamoDBClient({});
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket }));
  const { Count = 0 } = await dynamoDb.send(new ScanCommand({ TableName }));
  s3.destroy();
  dynamoDb.destroy();
  return { objects: Contents.flatMap(({ Key }) => Key ?? []), items: Count };
};

// In this order: what the first leaves untouched, the next one fills, and the one after that blocks.
describe('the local host on AWS, by somebody else’s emulator', () => {
  it('looks and writes nothing in a dry run', { timeout: 300_000 }, async () => {
    const { aws, real, trackers } = deployed;
    await using local = await startLocalHost({ ...real, dryRun: true, firstRuns: true });
    await vi.waitFor(
      () => expect(local.host.ledger.runs('audit-snapshot-schedules')).toMatchObject([{ result: expect.any(String) }]),
      SLOW,
    );
    await local.stop();
    expect(await stored(aws.bucket, aws.table)).toEqual({ objects: [], items: 0 });
    expect(trackers.github.tickets.present).toEqual([]);
  });

  it('makes a ticket of a webhook and reports an audit there, and keeps nothing of it here', {
    timeout: 300_000,
  }, async () => {
    const { aws, real, trackers, project } = deployed;
    expect(aws).toMatchObject({ account: '123456789012', region: 'eu-central-1', hasFunctions: false });
    await using local = await startLocalHost(real);
    expect(local.takesWebhooks).toBe(true);

    const now = new Date(Date.now() - 120_000).toISOString();
    const body = JSON.stringify({
      id: 'a'.repeat(24),
      groupId: project.id,
      orgId: project.orgId,
      alertConfigId: 'c'.repeat(24),
      eventTypeName: 'HOST_DOWN',
      status: 'OPEN',
      created: now,
      updated: now,
      lastNotified: now,
      hostnameAndPort: 'orders-00:27017',
      replicaSetName: 'atlas-orders-shard-0',
    });
    const { status } = await fetch(`${local.hooksOrigin}/hooks/receive-atlas-alert/`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-mms-event': 'alert.open',
        'x-mms-signature': createHmac('sha1', KEY).update(body).digest('base64'),
      },
      body,
    });
    expect(status).toBe(202);
    await vi.waitFor(async () => {
      await local.machine.invoke('reconcile-alerts', { task: 'due' });
      expect(trackers.github.tickets.present.map(({ title }) => title)).toEqual([expect.stringContaining('HOST_DOWN')]);
    }, SLOW);
    // What was delivered is deleted, so that it does not come back.
    await vi.waitFor(async () => expect(await messagesIn(aws.queueUrl)).toBe(0), SLOW);

    await local.machine.invoke('audit-snapshot-schedules', {});
    const { objects, items } = await stored(aws.bucket, aws.table);
    expect(objects).toContainEqual(expect.stringMatching(/^audits\/.*report\.html$/));
    expect(items).toBeGreaterThan(0);
    expect(local.machine.alertQueue.size).toBe(0);
    expect(local.machine.aws.secretsManager.secrets).toEqual({});

    // The console shows the audit from there, and says what it works on.
    const page = await fetch(`${local.consoleOrigin}/backups?token=${local.token}`, { redirect: 'manual' });
    const cookie = page.headers.get('set-cookie')?.split(';')[0] ?? '';
    await vi.waitFor(async () => {
      const shown = await (await fetch(`${local.consoleOrigin}/backups`, { headers: { cookie } })).text();
      expect(shown).toContain('real AWS (123456789012, eu-central-1)');
      expect(shown).toContain('/backups/report');
    }, SLOW);
    const queue = await (await fetch(`${local.consoleOrigin}/queue`, { headers: { cookie } })).text();
    expect(queue).toContain('are in AWS');
    await local.stop();
  });

  it('leaves what it could not deliver in the queue', {
    timeout: 300_000,
  }, async () => {
    const { aws, real } = deployed;
    const sqs = new SQSClient({});
    for (const group of ['one', 'two'])
      await sqs.send(
        new SendMessageCommand({
          QueueUrl: aws.queueUrl,
          MessageBody: JSON.stringify({ 'no message of': 'this bundle' }),
          MessageGroupId: group,
          MessageDeduplicationId: group,
        }),
      );
    sqs.destroy();
    await using local = await startLocalHost(real);
    await vi.waitFor(() => expect(local.host.ledger.runs('deliver-tickets').length).toBeGreaterThan(0), SLOW);
    await local.stop();
    expect(await messagesIn(aws.queueUrl)).toBe(2);
  });

  it('is found ready by the doctor, which changes nothing', async () => {
    const { name, aws, real } = deployed;
    const before = await stored(aws.bucket, aws.table);
    const findings = await checkAws(real.settings, process.env);
    expect(findings.map(({ verdict, text }) => `${verdict} ${text}`)).toEqual([
      'note the account is not bootstrapped for the CDK in this region',
      `ok ${name}-data is deployed in 123456789012, eu-central-1`,
      expect.stringMatching(/^ok the table .* can be read/),
      expect.stringMatching(/^ok the bucket .* can be read/),
      expect.stringMatching(/^ok the queue .* can be read/),
    ]);
    expect(await stored(aws.bucket, aws.table)).toEqual(before);
    const elsewhere = Settings.parse({ stack: { name: `${name}-no` } });
    expect((await checkAws(elsewhere, process.env)).at(-1)).toMatchObject({
      verdict: 'note',
      fix: expect.stringContaining('npm run deploy'),
    });
  });

  it('says what is missing: the stack, or the right account', { timeout: 60_000 }, async () => {
    const { name, real } = deployed;
    const asked = (stack: object) => findRealAws(Settings.parse({ ...real.settings, stack }), process.env);
    await expect(asked({ name: `${name}-no` })).rejects.toThrow(`there is no stack ${name}-no-data in eu-central-1`);
    await expect(asked({ name, account: '999999999999', region: 'eu-central-1' })).rejects.toThrow(
      'credentials of the account 123456789012, and the settings are for 999999999999',
    );
  });
});
