/**
 * Every bundle under Lambda's own runtime client: each function answers an event of each of its triggers, in the shape
 * AWS gives it, beside Atlas, AWS and a tracker on this machine.
 */
import { createHmac } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { CreateSecretCommand, DescribeSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { LAMBDAS } from '../../infra/build.ts';
import { seedDemoWorld } from '../../infra/local/demo-world.ts';
import { type Machine, startMachine } from '../../infra/local/machine.ts';
import { createTicketSandbox, type TicketSandbox } from '../../infra/local/ticket-sandbox/sandbox.ts';
import { seedClusters } from '../../infra/local/tour/backups.ts';
import { beginMigration } from '../../infra/local/tour/migration.ts';
import { buildRuntimeClient, type RunningFunction, type RuntimeClient, runFunction } from './runtime-client.ts';

const running = new AsyncDisposableStack();
const functions = new Map<string, Promise<RunningFunction>>();
const KEY = 'what Atlas signs with';

let client: RuntimeClient;
let machine: Machine;
let tickets: TicketSandbox;
let world: Awaited<ReturnType<typeof seedDemoWorld>>;
let secrets: SecretsManagerClient;

/** The function under the runtime client, started when it is first invoked; one environment for all its triggers. */
const run = (name: string): Promise<RunningFunction> => {
  const started =
    functions.get(name) ??
    runFunction({
      client,
      name,
      bundles: inject('bundles'),
      environment: { ...machine.environment, AWS_ACCESS_KEY_ID: name, AWS_SESSION_TOKEN: 'of a role' },
    }).then((made) => running.use(made));
  functions.set(name, started);
  return started;
};

beforeAll(async () => {
  client = running.use(await buildRuntimeClient());
  tickets = createTicketSandbox({});
  const trackers = running.use(await tickets.listen());
  const jira = tickets.destinations(trackers.origin).find(({ type }) => type === 'jira');
  machine = running.use(
    await startMachine({
      bundles: inject('bundles'),
      settings: {
        tickets: {
          destinations: [{ ...jira, webhookSecret: 'tickets/jira-webhook' }],
          policy: { groupWaitSeconds: 0, groupIntervalSeconds: 0, enrichMs: 0 },
        },
        audit: { formats: ['json'] },
      },
      // Whoever invokes a function on the machine invokes it there: the embedded Secrets Manager, the queue's trigger.
      around: (placed) => ({
        name: placed.name,
        arn: placed.arn,
        deadLetters: placed.deadLetters,
        coldStarts: placed.coldStarts,
        invoke: async (event) => (await run(placed.name)).invoke(event),
        invokeAsync: async (event) => void (await (await run(placed.name)).invoke(event)),
        kill: () => placed.kill(),
        [Symbol.asyncDispose]: async () => {},
      }),
    }),
  );
  secrets = running.adopt(new SecretsManagerClient(machine.sdk), (it) => it.destroy());
  for (const [Name, SecretString] of Object.entries(tickets.secrets))
    await secrets.send(new CreateSecretCommand({ Name, SecretString }));
  await machine.seedWebhookSecret({ current: KEY });
  world = await seedDemoWorld(machine);
  seedClusters(machine, world.org, world.project);
  const automation = machine.atlas.world.addOrgAccount(world.org, { name: 'automation', roles: ['ORG_OWNER'] });
  await machine.seedAtlasCredentials(automation);
}, 1_200_000);
afterAll(() => running.disposeAsync());

/** What EventBridge Scheduler hands over, by the stack's own template of it. */
const scheduled = () => ({
  source: 'aws.scheduler',
  'detail-type': 'Scheduled Event',
  id: 'd32c5kddcf5bb8c3',
  time: new Date().toISOString(),
  resources: ['arn:aws:scheduler:us-east-1:000000000000:schedule/group/name'],
});
const busEvent = (source: string, detailType: string, detail: object) => ({
  version: '0',
  id: '5c03d0a5-9a3c-4d2e-9f0c-4cf2b29d3b52',
  'detail-type': detailType,
  source,
  account: '000000000000',
  time: new Date().toISOString(),
  region: 'us-east-1',
  resources: [],
  detail,
});
/** A request to a function URL. Source: https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html */
const urlEvent = (rawPath: string, headers: Record<string, string>, body: string) => ({
  version: '2.0',
  routeKey: '$default',
  rawPath,
  rawQueryString: '',
  headers: { host: 'abc.lambda-url.us-east-1.on.aws', 'x-forwarded-proto': 'https', ...headers },
  requestContext: {
    accountId: 'anonymous',
    apiId: 'abc',
    domainName: 'abc.lambda-url.us-east-1.on.aws',
    domainPrefix: 'abc',
    http: { method: 'POST', path: rawPath, protocol: 'HTTP/1.1', sourceIp: '203.0.113.7', userAgent: 'x' },
    requestId: 'e1506fd5-9e7b-434f-bd42-4f8fa224b599',
    routeKey: '$default',
    stage: '$default',
    time: '23/Nov/2026:00:00:00 +0000',
    timeEpoch: Date.now(),
  },
  body: Buffer.from(body).toString('base64'),
  isBase64Encoded: true,
});

/** Function, and trigger: what was answered. */
const answered = new Set<string>();
const ask = async (name: string, event: unknown): Promise<Record<string, unknown>> => {
  const answer = await machine.invoke(name, event);
  answered.add(name);
  return answer as Record<string, unknown>;
};

describe('under Lambda’s runtime client', () => {
  it('the four steps of a rotation, as Secrets Manager calls them', async () => {
    const { VersionIdsToStages: before = {} } = await secrets.send(
      new DescribeSecretCommand({ SecretId: 'atlas/payments' }),
    );
    const { RotateSecretCommand } = await import('@aws-sdk/client-secrets-manager');
    await secrets.send(
      new RotateSecretCommand({
        SecretId: 'atlas/payments',
        RotationLambdaARN: machine.rotate.arn,
        RotationRules: { AutomaticallyAfterDays: 30 },
      }),
    );
    await machine.aws.secretsManager.rotationsSettled();
    const { VersionIdsToStages: after = {} } = await secrets.send(
      new DescribeSecretCommand({ SecretId: 'atlas/payments' }),
    );
    const current = (stages: Record<string, string[]>) =>
      Object.keys(stages).find((version) => stages[version]?.includes('AWSCURRENT'));
    expect(current(after)).not.toBe(current(before));
    const { asked } = await run('rotate-service-account-secret');
    expect(asked.filter((each) => each === 'response').length).toBeGreaterThanOrEqual(4);
    expect(asked).not.toContain('error');
    answered.add('rotate-service-account-secret');
  });

  it('the sweep, by a schedule', async () => {
    expect(await ask('sweep-service-account-secrets', scheduled())).toHaveProperty('swept');
  });

  it('the sweep, by a rotation that Secrets Manager gave up', async () => {
    const { ARN: SecretId } = await secrets.send(new DescribeSecretCommand({ SecretId: 'atlas/payments' }));
    const event = busEvent('aws.secretsmanager', 'AWS Service Event via CloudTrail', {
      eventName: 'RotationFailed',
      additionalEventData: { SecretId },
    });
    expect(await ask('sweep-service-account-secrets', event)).toHaveProperty('swept');
  });

  it('the audit, by a schedule', { timeout: 60_000 }, async () => {
    const { audits } = await ask('audit-snapshot-schedules', scheduled());
    expect(audits).toMatchObject([{ exitState: expect.any(String) }]);
  });

  it('a plan of the remediation, by hand', async () => {
    const plan = { action: 'plan', requestedBy: 'ada', dryRun: true };
    expect(await ask('remediate-snapshot-schedules', plan)).toBeTypeOf('object');
  });

  it('a migration, by hand, and its watch by a schedule', { timeout: 60_000 }, async () => {
    const begun = await beginMigration(machine, world.org, world.project);
    expect(begun?.migration().runId).toBeTypeOf('string');
    answered.add('command-live-migration');
    const { migrations } = await ask('watch-live-migrations', {
      ...scheduled(),
      time: machine.clock.now().toISOString(),
    });
    expect(migrations).toBeInstanceOf(Array);
  });

  it('an alert by its URL, its batch from the queue, and the webhook of its tracker', { timeout: 60_000 }, async () => {
    const server = createServer(async (request, response) => {
      const body = Buffer.concat(await request.toArray()).toString();
      const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
      const answer = await ask('receive-ticket-update', urlEvent(request.url ?? '/', headers, body));
      response.writeHead(Number(answer['statusCode'])).end(String(answer['body']));
    });
    server.listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    running.defer(() => void server.close());
    tickets.tell(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);

    const { atlas } = machine;
    const alert = atlas.world.alerts.openAlert(world.project, {
      eventTypeName: 'HOST_DOWN',
      details: { clusterName: 'orders', hostnameAndPort: 'orders-00:27017' },
    });
    const now = new Date().toISOString();
    const body = JSON.stringify({
      id: alert.id,
      groupId: world.project.id,
      orgId: world.org.id,
      eventTypeName: 'HOST_DOWN',
      status: 'OPEN',
      clusterName: 'orders',
      hostnameAndPort: 'orders-00:27017',
      created: now,
      updated: now,
      lastNotified: now,
    });
    const signature = createHmac('sha1', KEY).update(body).digest('base64');
    const headers = { 'content-type': 'application/json', 'x-mms-event': 'alert.open', 'x-mms-signature': signature };
    expect(await ask('receive-atlas-alert', urlEvent('/', headers, body))).toMatchObject({ statusCode: 202 });
    const wrong = { ...headers, 'x-mms-signature': 'wrong' };
    expect(await ask('receive-atlas-alert', urlEvent('/', wrong, body))).toMatchObject({ statusCode: 401 });

    const deliveries = await machine.deliver();
    expect(deliveries.map(({ failed, error }) => [failed, error])).toEqual([[[], undefined]]);
    answered.add('deliver-tickets');
    await expect
      .poll(
        async () => {
          await ask('reconcile-alerts', { task: 'due' });
          return tickets.jira.tickets.present.length;
        },
        { timeout: 20_000 },
      )
      .toBe(1);

    const [issue] = tickets.jira.tickets.present;
    tickets.jira.people.assign(issue?.id ?? '', 'ada');
    await tickets.webhooks.settle();
    expect(alert.acknowledgement?.comment).toContain('ada');
    expect(answered).toContain('receive-ticket-update');
  });

  it('the deliverer, by an event of the bundle’s own bus', async () => {
    const event = busEvent('atlas-automation', 'Audit Incomplete', { organization: world.org.id, reason: 'a test' });
    await expect(ask('deliver-tickets', event)).resolves.not.toThrow();
  });

  it('the reconciliation, by a schedule', async () => {
    expect(await ask('reconcile-alerts', scheduled())).toBeTypeOf('object');
  });

  it('and an event that is none fails by name, and does not end the function', async () => {
    const rotate = await run('rotate-service-account-secret');
    await expect(rotate.invoke({ Step: 'createSecret' })).rejects.toMatchObject({ errorType: 'EventError' });
    await expect(rotate.invoke({ Step: 'createSecret' })).rejects.toMatchObject({ errorType: 'EventError' });
    expect(rotate.asked.filter((each) => each === 'error')).toHaveLength(2);
  });

  it('ran every function there is', () => {
    expect([...answered].toSorted()).toEqual(Object.values(LAMBDAS).toSorted());
  });
});

it('tells of a bundle that cannot be loaded as Lambda does', async () => {
  const folder = path.join(inject('bundles'), 'broken');
  await mkdir(folder);
  await writeFile(path.join(folder, 'index.mjs'), "throw new RangeError('no');\n");
  await using broken = await runFunction({ client, name: 'broken', bundles: inject('bundles'), environment: {} });
  await expect(broken.invoke({})).rejects.toMatchObject({ errorType: 'RangeError', message: 'no' });
  await rm(folder, { recursive: true });
});
