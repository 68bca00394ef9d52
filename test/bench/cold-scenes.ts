import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { CreateSecretCommand, RotateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { LAMBDAS } from '../../infra/build.ts';
import { createAtlasSandbox } from '../../infra/local/atlas-sandbox/sandbox.ts';
import { createEmbeddedAws } from '../../infra/local/aws/embedded-aws.ts';
import { createTicketSandbox } from '../../infra/local/ticket-sandbox/sandbox.ts';

/** What one function is called with: every call finds its work undone, as a first one does. */
export interface Scene {
  readonly what: string;
  /** The section of the settings file the function reads. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly event: () => Promise<unknown>;
}

export interface ColdWorld extends AsyncDisposable {
  /** Of every function, but for its table, which is called as the function is, and its settings. */
  readonly environment: Readonly<Record<string, string>>;
  /** By the Lambda's name. */
  readonly scenes: Readonly<Record<string, Scene>>;
}

const DAY = 86_400_000;
const SCHEDULED = { source: 'aws.events', 'detail-type': 'Scheduled Event' };
const WEBHOOK_SECRET = 'a webhook secret';

/** Atlas, AWS and a tracker on loopback, and for each function the event that starts it most of the time. */
export async function startColdWorld(): Promise<ColdWorld> {
  await using started = new AsyncDisposableStack();
  const tickets = createTicketSandbox({ limits: 'none' });
  const ticketServer = started.use(await tickets.listen());
  const atlas = createAtlasSandbox({ limits: { mintsPerMinute: 1e6, liveTokens: 1e6 } });
  const atlasServer = started.use(await atlas.listen());
  const aws = createEmbeddedAws({ tables: Object.values(LAMBDAS), buckets: ['reports'] });
  const awsServer = started.use(await aws.listen());
  aws.sqs.create('alerts.fifo', { FifoQueue: 'true', DeduplicationScope: 'messageGroup' });
  const credentials = { accessKeyId: 'bench', secretAccessKey: 'bench' };
  const client = started.adopt(
    new SecretsManagerClient({ region: 'us-east-1', endpoint: awsServer.origin, credentials }),
    (it) => it.destroy(),
  );
  const store = async (Name: string, value: unknown): Promise<string> => {
    const SecretString = typeof value === 'string' ? value : JSON.stringify(value);
    const { ARN = '' } = await client.send(new CreateSecretCommand({ Name, SecretString }));
    return ARN;
  };

  const { world } = atlas;
  const org = world.addOrg({ name: 'bench' });
  const project = world.addProject(org, { name: 'bench' });
  const createdAt = new Date(Date.now() - 100 * DAY);
  for (const name of ['orders', 'invoices']) world.clusters.add(project, { name, createdAt });
  const owner = world.addOrgAccount(org, { name: 'automation', roles: ['ORG_OWNER'] });
  await store('atlas', { clientId: owner.clientId, clientSecret: world.addSecret(owner).value });
  await store('webhook', { current: WEBHOOK_SECRET });
  for (const [name, value] of Object.entries(tickets.secrets)) await store(name, value);

  const managed = async (): Promise<string> => {
    const name = randomUUID();
    const its = world.addOrg({ name });
    const account = world.addOrgAccount(its, { name, roles: ['ORG_OWNER'] });
    const clientSecret = world.addSecret(account).value;
    return store(name, { clientId: account.clientId, clientSecret, orgId: its.id });
  };
  const createSecretStep = async (): Promise<unknown> => {
    const SecretId = await managed();
    const { VersionId: ClientRequestToken } = await client.send(
      new RotateSecretCommand({
        SecretId,
        RotationLambdaARN: 'arn:aws:lambda:us-east-1:000000000000:function:bench',
        RotationRules: { AutomaticallyAfterDays: 30 },
      }),
    );
    return { SecretId, ClientRequestToken, Step: 'createSecret' };
  };

  const hex = (bytes: number): string => randomBytes(bytes).toString('hex');
  const now = new Date().toISOString();
  const alert = () => ({
    id: hex(12),
    groupId: project.id,
    orgId: org.id,
    eventTypeName: 'HOST_DOWN',
    status: 'OPEN',
    clusterName: `cluster-${hex(4)}`,
    hostnameAndPort: 'orders-shard-00-00.ab12c.mongodb.net:27017',
    created: now,
    updated: now,
    lastNotified: now,
  });
  const webhook = () => {
    const body = JSON.stringify(alert());
    const signature = createHmac('sha1', WEBHOOK_SECRET).update(body).digest('base64');
    const headers = { 'x-mms-event': 'alert.open', 'x-mms-signature': signature };
    return { version: '2.0', headers, rawPath: '/', body, isBase64Encoded: false };
  };
  const heard = () => {
    const { id, groupId: projectId, orgId, eventTypeName: type, clusterName, hostnameAndPort: host } = alert();
    const at = Date.parse(now);
    const body = JSON.stringify({
      schema: 1,
      id,
      state: 'open',
      version: { at, rank: 0 },
      subject: { type, projectId, orgId, clusterName, host },
      createdAt: at,
      via: 'webhook',
      heardAt: at,
      digest: hex(32),
    });
    return { Records: [{ messageId: randomUUID(), body, attributes: { MessageGroupId: hex(8) } }] };
  };
  const trackerNews = () => {
    const body = JSON.stringify({
      timestamp: Date.now(),
      webhookEvent: 'jira:issue_updated',
      user: { accountId: 'ann', displayName: 'Ann' },
      issue: { id: '10001', key: 'OPS-1', fields: { labels: [`incident-${hex(8)}`] } },
      changelog: { items: [{ field: 'assignee', from: null, to: 'ann', toString: 'Ann' }] },
    });
    const signature = createHmac('sha256', WEBHOOK_SECRET).update(body).digest('hex');
    const headers = { 'x-hub-signature': `sha256=${signature}`, 'x-atlassian-webhook-identifier': hex(8) };
    return { version: '2.0', headers, rawPath: '/jira', body, isBase64Encoded: false };
  };
  const destinations = tickets
    .destinations(ticketServer.origin)
    .filter(({ id }) => id === 'jira')
    .map((destination) => ({ ...destination, webhookSecret: 'webhook' }));
  const bridge = { tickets: { destinations, projects: [project.id] } };
  const atOnce = { tickets: { ...bridge.tickets, policy: { groupWaitSeconds: 0 } } };
  const rotation = { rotation: { secrets: [{ secret: await managed() }] } };

  const running = started.move();
  return {
    environment: {
      MONGODB_ATLAS_BASE_URL: atlasServer.origin,
      ATLAS_CREDENTIALS_SECRET: 'atlas',
      WEBHOOK_SECRET: 'webhook',
      REPORT_BUCKET: 'reports',
      ALERT_QUEUE_URL: aws.sqs.urlOf('alerts.fifo'),
      AWS_ENDPOINT_URL: awsServer.origin,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    },
    scenes: {
      'rotate-service-account-secret': { what: 'createSecret, with a mint', settings: {}, event: createSecretStep },
      'sweep-service-account-secrets': { what: 'hourly, one secret', settings: rotation, event: async () => SCHEDULED },
      'audit-snapshot-schedules': {
        what: 'dry run, two clusters',
        settings: {},
        event: async () => ({ dryRun: true }),
      },
      'remediate-snapshot-schedules': {
        what: 'plan, two clusters',
        settings: {},
        event: async () => ({ action: 'plan', requestedBy: 'bench' }),
      },
      'command-live-migration': { what: 'status', settings: {}, event: async () => ({ action: 'status' }) },
      'watch-live-migrations': { what: 'every minute', settings: {}, event: async () => SCHEDULED },
      'receive-atlas-alert': { what: 'an alert', settings: bridge, event: async () => webhook() },
      'deliver-tickets': { what: 'an alert, its ticket', settings: atOnce, event: async () => heard() },
      'reconcile-alerts': { what: 'every five minutes', settings: bridge, event: async () => SCHEDULED },
      'receive-ticket-update': { what: 'a ticket was assigned', settings: bridge, event: async () => trackerNews() },
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
