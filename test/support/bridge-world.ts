import { createHmac } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { inject } from 'vitest';
import * as z from 'zod';
import type { Alert } from '../../infra/local/atlas-sandbox/state/alerts.ts';
import { createMovableClock } from '../../infra/local/clock.ts';
import { type Machine, startMachine } from '../../infra/local/machine.ts';
import {
  createTicketSandbox,
  type TicketSandbox,
  type TicketSandboxOptions,
} from '../../infra/local/ticket-sandbox/sandbox.ts';
import { createState, type State } from '../../lib/aws/state.ts';
import { systemClock } from '../../lib/runtime/clock.ts';
import { deadlineIn } from '../../lib/runtime/deadline.ts';

export const SECRET = 'a-webhook-secret';
export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;

export const signed = (bytes: string | Uint8Array, secret = SECRET): string =>
  createHmac('sha1', secret).update(bytes).digest('base64');

export interface BridgeOptions {
  /** Ids of the sandbox's destinations that are in the settings, in order; jira alone unless given. */
  readonly to?: readonly string[];
  /** Over the settings of those destinations, by id. */
  readonly destinations?: Readonly<Record<string, object>>;
  /** The rest of the section `tickets`. */
  readonly tickets?: Readonly<Record<string, unknown>>;
  /** The section `webhooks` of what is deployed. */
  readonly webhooks?: Readonly<Record<string, unknown>>;
  readonly limits?: TicketSandboxOptions['limits'];
  readonly latencyMs?: number;
  /** Another policy than one that waits for nothing. */
  readonly policy?: Readonly<Record<string, unknown>>;
  readonly maxReceives?: number;
  readonly timeoutMs?: number;
  readonly onOutput?: (text: string) => void;
  readonly bundles?: string;
}

export interface Sent {
  readonly event?: string;
  readonly secret?: string;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly isBase64Encoded?: boolean;
}

/** The project's own host, hexadecimal, so that ids are those of Atlas. */
let serial = 0;
export const newId = (): string =>
  `65${(Date.now() % 0xffffffff).toString(16).padStart(8, '0')}${(++serial).toString(16).padStart(14, '0')}`;

/**
 * The built bundles of the bridge on the embedded AWS, with the Atlas sandbox on one side and the trackers on the other.
 * All of them live by one clock, which the test moves.
 */
export class BridgeWorld implements AsyncDisposable {
  readonly machine: Machine;
  readonly sandbox: TicketSandbox;
  readonly origin: string;
  readonly project;
  readonly state: State;
  readonly #stack: AsyncDisposableStack;
  readonly #move: (ms: number) => Promise<void>;

  private constructor(parts: {
    machine: Machine;
    sandbox: TicketSandbox;
    origin: string;
    stack: AsyncDisposableStack;
    move: (ms: number) => Promise<void>;
    project: ReturnType<Machine['atlas']['world']['addProject']>;
  }) {
    this.machine = parts.machine;
    this.sandbox = parts.sandbox;
    this.origin = parts.origin;
    this.project = parts.project;
    this.#stack = parts.stack;
    this.#move = parts.move;
    this.state = createState(parts.machine.stateTable, parts.machine.sdk, parts.machine.clock);
  }

  static async start(options: BridgeOptions = {}): Promise<BridgeWorld> {
    const { to = ['jira'], tickets = {}, policy = {}, limits = 'none' } = options;
    await using stack = new AsyncDisposableStack();
    const clock = createMovableClock();
    const sandbox = createTicketSandbox({ clock, limits, ...(options.latencyMs && { latencyMs: options.latencyMs }) });
    const served = stack.use(await sandbox.listen());
    const folder = await mkdtemp(path.join(tmpdir(), 'bridge-world-'));
    stack.defer(() => rm(folder, { recursive: true, force: true }));
    const offset = path.join(folder, 'offset');
    await writeFile(offset, '0');
    const listed = sandbox
      .destinations(served.origin)
      .filter(({ id }) => to.includes(String(id)))
      .toSorted((a, b) => to.indexOf(String(a['id'])) - to.indexOf(String(b['id'])))
      .map((destination) => ({
        ...destination,
        webhookSecret: `tickets/${destination['id']}-webhook`,
        ...options.destinations?.[String(destination['id'])],
      }));
    const machine = stack.use(
      await startMachine({
        bundles: options.bundles ?? inject('bundles'),
        clock,
        settings: {
          tickets: {
            destinations: listed,
            ...tickets,
            policy: { groupWaitSeconds: 0, groupIntervalSeconds: 0, enrichMs: 0, ...policy },
          },
          ...(options.webhooks && { webhooks: options.webhooks }),
        },
        environment: {
          NODE_OPTIONS: `--import=${pathToFileURL(path.join(import.meta.dirname, 'moved-clock.mjs')).href}`,
          MOVED_CLOCK: offset,
        },
        ...(options.maxReceives && { alertQueue: { maxReceives: options.maxReceives } }),
        timeoutMs: options.timeoutMs ?? 60_000,
        ...(options.onOutput && { onOutput: options.onOutput }),
      }),
    );
    sandbox.faults.kill = () => machine.faults.kill();
    await machine.seedWebhookSecret({ current: SECRET });
    const secrets = new SecretsManagerClient(machine.sdk);
    for (const [Name, SecretString] of Object.entries(sandbox.secrets))
      await secrets.send(new CreateSecretCommand({ Name, SecretString }));
    const { world } = machine.atlas;
    const org = world.addOrg({ name: 'bridge' });
    const project = world.addProject(org, { name: 'bridge' });
    await machine.seedAtlasCredentials(world.addProjectAccount(project, { name: 'bridge', roles: ['GROUP_OWNER'] }));

    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', async () => {
        const invoked = machine
          .invoke('receive-ticket-update', {
            headers: Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)])),
            rawPath: request.url ?? '/',
            body: Buffer.concat(chunks).toString('base64'),
            isBase64Encoded: true,
          })
          // Killed with the machine: nobody waits for the answer any more.
          .catch(() => ({ statusCode: 502, body: '' }));
        const answer = Answer.parse(await invoked);
        response.writeHead(answer.statusCode, answer.headers).end(answer.body);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    stack.defer(async () => {
      server.closeAllConnections();
      server.close();
    });
    sandbox.tell(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);

    let moved = 0;
    return new BridgeWorld({
      machine,
      sandbox,
      origin: served.origin,
      project,
      stack: stack.move(),
      async move(ms) {
        moved += ms;
        clock.advance(ms);
        await writeFile(offset, String(moved));
        await new Promise((resolve) => setTimeout(resolve, 5));
      },
    });
  }

  get now(): number {
    return this.machine.clock.now().getTime();
  }

  /** Moves everybody's clock. */
  pass(ms: number): Promise<void> {
    return this.#move(ms);
  }

  /** A webhook's body: an alert that has just opened, unless told otherwise. */
  alert(fields: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
    const now = new Date(this.now).toISOString();
    return {
      id: newId(),
      groupId: this.project.id,
      orgId: this.project.orgId,
      eventTypeName: 'HOST_DOWN',
      status: 'OPEN',
      clusterName: 'Cluster0',
      hostnameAndPort: 'cluster0-shard-00-00.ab12c.mongodb.net:27017',
      created: now,
      updated: now,
      lastNotified: now,
      ...fields,
    };
  }

  /** The same alert later on, as Atlas tells it then. */
  later(alert: Readonly<Record<string, unknown>>, fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
    const now = new Date(this.now).toISOString();
    return {
      ...alert,
      updated: now,
      lastNotified: now,
      ...(fields['status'] === 'CLOSED' && { resolved: now }),
      ...fields,
    };
  }

  /** Sends a webhook as Atlas does; answers the status. */
  async send(body: Readonly<Record<string, unknown>> | string, options: Sent = {}): Promise<number> {
    const { event = 'alert.open', secret = SECRET, headers = {}, isBase64Encoded = false } = options;
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const answer = Answer.parse(
      await this.machine.invoke('receive-atlas-alert', {
        version: '2.0',
        headers: {
          'content-type': 'application/json',
          'x-mms-event': event,
          'x-mms-signature': signed(text, secret),
          ...headers,
        },
        rawPath: '/',
        body: isBase64Encoded ? Buffer.from(text).toString('base64') : text,
        isBase64Encoded,
      }),
    );
    return answer.statusCode;
  }

  /** The whole way of one webhook: taken, queued, delivered. */
  async tell(body: Readonly<Record<string, unknown>>, options: Sent = {}): Promise<void> {
    const status = await this.send(body, options);
    if (status !== 202) throw new Error(`the webhook was answered with ${status}`);
    await this.machine.deliver();
  }

  /** A message for deliver-tickets as the queue would hand it out, without the queue: for many at once. */
  async record(body: Readonly<Record<string, unknown>>, options: Sent = {}): Promise<object> {
    await this.send(body, options);
    const message = this.machine.alertQueue.messages.at(-1);
    if (!message) throw new Error('no message');
    return {
      messageId: newId(),
      receiptHandle: 'r',
      body: message.body,
      attributes: { MessageGroupId: message.group, ApproximateReceiveCount: '1' },
      eventSource: 'aws:sqs',
    };
  }

  due(): Promise<unknown> {
    return this.machine.invoke('reconcile-alerts', { task: 'due' });
  }

  reconcile(event: object = {}): Promise<unknown> {
    return this.machine.invoke('reconcile-alerts', event);
  }

  /** The webhook's body of an alert of the Atlas sandbox. */
  bodyOf(alert: Alert): Record<string, unknown> {
    const {
      id,
      groupId,
      orgId,
      alertConfigId,
      eventTypeName,
      status,
      createdAt,
      updatedAt,
      resolvedAt,
      acknowledgement,
      details,
    } = alert;
    return {
      id,
      groupId,
      orgId,
      alertConfigId,
      eventTypeName,
      status,
      created: createdAt.toISOString(),
      updated: updatedAt.toISOString(),
      lastNotified: new Date(this.now).toISOString(),
      ...(resolvedAt && { resolved: resolvedAt.toISOString() }),
      ...(acknowledgement && {
        acknowledgedUntil: acknowledgement.until.toISOString(),
        acknowledgingUsername: acknowledgement.username,
        acknowledgementComment: acknowledgement.comment,
      }),
      ...details,
    };
  }

  /** An alert that Atlas itself knows of, too. */
  open(details: Readonly<Record<string, unknown>> = {}, eventTypeName = 'HOST_DOWN'): Alert {
    return this.machine.atlas.world.alerts.openAlert(this.project, {
      eventTypeName,
      details: { clusterName: 'Cluster0', hostnameAndPort: 'cluster0-shard-00-00.ab12c.mongodb.net:27017', ...details },
    });
  }

  /** Everything that was decided, as `decision: reason` lines, oldest first. */
  async trail(): Promise<string[]> {
    const found: { at: string; line: string }[] = [];
    const seen = new Set<string>();
    const deadline = deadlineIn(10_000, systemClock);
    for (const pk of [
      ...(await this.auditPartitions()),
      'audit#unassigned',
      'audit#poison',
      `audit#project#${this.project.id}`,
    ]) {
      if (seen.has(pk)) continue;
      seen.add(pk);
      for await (const { value } of this.state.list(pk, Trail, deadline))
        for (const { at, decision, reason } of value.entries) found.push({ at, line: `${decision}: ${reason}` });
    }
    return found.toSorted((a, b) => a.at.localeCompare(b.at)).map(({ line }) => line);
  }

  async auditPartitions(): Promise<string[]> {
    const { ScanCommand } = await import('@aws-sdk/client-dynamodb');
    const { Items = [] } = await new DynamoDBClient(this.machine.sdk).send(
      new ScanCommand({ TableName: this.machine.stateTable, ConsistentRead: true }),
    );
    return [...new Set(Items.flatMap(({ pk }) => (pk?.S?.startsWith('audit#') ? [pk.S] : [])))];
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.#stack.disposeAsync();
  }
}

const Answer = z.object({
  statusCode: z.number(),
  headers: z.record(z.string(), z.string()).default({}),
  body: z.string(),
});
const Trail = z.object({
  entries: z.array(z.looseObject({ at: z.string(), decision: z.string(), reason: z.string() })),
});
