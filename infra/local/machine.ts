import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { ROTATION_TAKEN_BACK, SECRET_ROLLED_BACK, SECRET_ROTATED } from '../../lib/events/rotation.ts';
import { ALERT_QUEUE } from '../alert-queue.ts';
import { type AtlasSandbox, createAtlasSandbox, type SandboxOptions } from './atlas-sandbox/sandbox.ts';
import type { ServiceAccount } from './atlas-sandbox/world.ts';
import { createEmbeddedAws, type EmbeddedAws } from './aws/embedded-aws.ts';
import { recorder } from './aws/recorder.ts';
import type { RotationRetry } from './aws/secrets-manager/rotation.ts';
import type { FifoQueue } from './aws/sqs/fifo-queue.ts';
import { createMovableClock, type MovableClock } from './clock.ts';
import type { Durable } from './durable/durable.ts';
import { FaultPlan } from './faults.ts';
import { createLocalFunction, type LocalFunction, type LocalFunctionOptions } from './lambda/function.ts';
import { type Delivery, deliverBatch } from './lambda/queue-trigger.ts';

/** The folder `npm run build` fills. */
export const DIST = path.resolve(import.meta.dirname, '../../dist');

export interface MachineOptions {
  /** Where the built bundles are; `dist` in the project unless given. */
  readonly bundles?: string;
  /** Ids, ARNs and secrets follow from it. */
  readonly seed?: string;
  /** What stands in the settings file. */
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly clock?: MovableClock;
  readonly atlas?: Pick<SandboxOptions, 'limits' | 'maxSecretValidityHours' | 'latencyMs' | 'maxItemsPerPage'>;
  readonly rotationRetry?: RotationRetry;
  /** Where Atlas and AWS outlive this process; nowhere unless given. Then `seed` has to be another at every start. */
  readonly durable?: Durable | undefined;
  /** Timeout of every function. */
  readonly timeoutMs?: number;
  /** Further environment of every function, over what the machine sets itself. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly alertQueue?: { readonly visibilitySeconds?: number; readonly maxReceives?: number };
  /** Lets events start functions, as the rules of the stack do. Off unless asked for: a test starts its own. */
  readonly rules?: boolean;
  /** Gets what the functions print: their logs and metrics, and the name of the function. */
  readonly onOutput?: (text: string, lambda: string) => void;
  /** What one function has of its own; `environment` is what all of them share. */
  readonly placement?: (name: string, environment: Readonly<Record<string, string>>) => Placement;
  /** Stands around every function that is placed, and so sees every invocation, whoever makes it. */
  readonly around?: (placed: LocalFunction) => LocalFunction;
}

/** What is right for one function. Its environment stands for the shared one, not over it. */
export type Placement = Partial<
  Pick<LocalFunctionOptions, 'environment' | 'timeoutMs' | 'memoryMb' | 'mostContainers' | 'atOnce' | 'niceness'>
>;

/** What the automation may use to reach Atlas; a service account gets one more secret for it. */
export type AutomationCredentials =
  | ServiceAccount
  | { readonly clientId: string; readonly clientSecret: string }
  | { readonly publicKey: string; readonly privateKey: string };

export interface DeliverOptions {
  /** One batch alone. */
  readonly once?: boolean;
  /** What failed may be handed out again at once, as if its time out of sight had passed. */
  readonly redeliver?: boolean;
}

/** Atlas, AWS and the Lambda functions on one machine, wired as the stack wires them. */
export interface Machine extends AsyncDisposable {
  readonly clock: MovableClock;
  /** Faults and the journal of Atlas and AWS: calls are counted over both, in the order they came. */
  readonly faults: FaultPlan;
  readonly atlas: AtlasSandbox;
  readonly atlasOrigin: string;
  readonly aws: EmbeddedAws;
  readonly awsEndpoint: string;
  /** What an AWS SDK needs to talk to the embedded services. */
  readonly sdk: { region: string; endpoint?: string; credentials?: { accessKeyId: string; secretAccessKey: string } };
  readonly rotate: LocalFunction;
  readonly sweep: LocalFunction;
  /** The environment of every function. */
  readonly environment: Readonly<Record<string, string>>;
  readonly stateTable: string;
  readonly reportBucket: string;
  readonly alertQueue: FifoQueue;
  readonly alertDeadLetters: FifoQueue;
  /** The function of a built bundle, placed on the machine when it is first asked for. Throws where there is no bundle. */
  lambda(name: string): LocalFunction;
  /** Runs a function and answers what it returns; throws FunctionFailed as Lambda reports it. */
  invoke(name: string, event: unknown): Promise<unknown>;
  /** The same function once more, with containers of its own, and further environment where given. */
  container(name: string, environment?: Readonly<Record<string, string>>): LocalFunction;
  /** Whether there is a secret of this name. */
  hasSecret(name: string): boolean;
  /** Writes a secret's current value, creating the secret where there is none. Not counted as a call. */
  putSecret(name: string, value: Readonly<Record<string, unknown>>): Promise<void>;
  /** Writes what ATLAS_CREDENTIALS_SECRET names. */
  seedAtlasCredentials(credentials: AutomationCredentials): Promise<void>;
  /** Writes what WEBHOOK_SECRET names. */
  seedWebhookSecret(secrets: { readonly current: string; readonly previous?: string }): Promise<void>;
  /**
   * Hands the messages of the alert queue to deliver-tickets, batch by batch, until none is there to be handed out.
   * What failed is out of sight until the clock passes its time, unless it is redelivered.
   */
  deliver(options?: DeliverOptions): Promise<Delivery[]>;
}

const REGION = 'us-east-1';
const ACCOUNT = '000000000000';
/** The embedded services check that requests are signed, not by whom. */
const CREDENTIALS = { accessKeyId: 'local', secretAccessKey: 'local' };

const STATE_TABLE = 'atlas-automation';
const REPORT_BUCKET = 'atlas-automation-reports';
const ALERTS = 'atlas-automation-alerts.fifo';
const DEAD_ALERTS = 'atlas-automation-alerts-dead.fifo';
const ATLAS_CREDENTIALS = 'atlas-automation/atlas';
const WEBHOOK = 'atlas-automation/webhook';

export async function startMachine(options: MachineOptions = {}): Promise<Machine> {
  const { bundles = DIST, seed = 'atlas-automation', settings = {}, clock = createMovableClock() } = options;
  await using started = new AsyncDisposableStack();
  const faults = new FaultPlan();

  const atlas = createAtlasSandbox({ seed, clock, faults, durable: options.durable, ...options.atlas });
  const atlasServer = started.use(await atlas.listen());

  const functions = new Map<string, LocalFunction>();
  const record = recorder(ACCOUNT, REGION);
  const aws = createEmbeddedAws({
    recorder: record,
    durable: options.durable,
    seed,
    clock,
    faults,
    region: REGION,
    account: ACCOUNT,
    tables: [STATE_TABLE],
    buckets: [REPORT_BUCKET],
    ...(options.rotationRetry && { rotationRetry: options.rotationRetry }),
    async invoke(arn, event) {
      const invoked = [...functions.values()].find((placed) => placed.arn === arn);
      if (!invoked) throw new Error(`there is no function ${arn}`);
      await invoked.invoke(event);
    },
  });
  const awsServer = started.use(await aws.listen());

  const { visibilitySeconds = ALERT_QUEUE.visibilitySeconds, maxReceives = ALERT_QUEUE.maxReceives } =
    options.alertQueue ?? {};
  const fifo = { FifoQueue: 'true', DeduplicationScope: 'messageGroup', VisibilityTimeout: String(visibilitySeconds) };
  const alertDeadLetters = aws.sqs.create(DEAD_ALERTS, fifo);
  const alertQueue = aws.sqs.create(ALERTS, {
    ...fifo,
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn: alertDeadLetters.arn, maxReceiveCount: maxReceives }),
  });

  const environment = {
    MONGODB_ATLAS_BASE_URL: atlasServer.origin,
    ATLAS_CREDENTIALS_SECRET: ATLAS_CREDENTIALS,
    AUTOMATION_SETTINGS: JSON.stringify(settings),
    STATE_TABLE,
    EVENT_BUS: 'default',
    REPORT_BUCKET,
    ALERT_QUEUE_URL: aws.sqs.urlOf(ALERTS),
    WEBHOOK_SECRET: WEBHOOK,
    AWS_ENDPOINT_URL: awsServer.origin,
    AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    ...options.environment,
  };

  record?.deployed(settings, environment);

  const all: LocalFunction[] = [];
  // A stack of its own: functions are placed after this returned, too, when what holds the rest has been handed on.
  const placedHere = started.use(new AsyncDisposableStack());
  const place = (name: string, further: Readonly<Record<string, string>> = {}): LocalFunction => {
    const { onOutput, around = (made) => made } = options;
    const { environment: own = environment, ...placement } = options.placement?.(name, environment) ?? {};
    const made = createLocalFunction({
      name,
      bundles,
      region: REGION,
      account: ACCOUNT,
      ...(options.timeoutMs !== undefined && { timeoutMs: options.timeoutMs }),
      ...placement,
      // Who calls AWS is told by the access key, as a role would tell it there.
      environment: {
        ...own,
        ...(own['AWS_ACCESS_KEY_ID'] === CREDENTIALS.accessKeyId && { AWS_ACCESS_KEY_ID: name }),
        ...further,
      },
      ...(onOutput && { onOutput: (text) => onOutput(text, name) }),
    });
    const placed = around(placedHere.use(made));
    all.push(placed);
    return placed;
  };
  const built = (name: string): string => {
    if (!existsSync(path.join(bundles, name, 'index.mjs'))) throw new Error(`there is no bundle ${name} in ${bundles}`);
    return name;
  };
  const lambda = (name: string): LocalFunction => {
    const placed = functions.get(name) ?? place(built(name));
    functions.set(name, placed);
    return placed;
  };
  const [rotate, sweep] = ['rotate-service-account-secret', 'sweep-service-account-secrets'].map((name) => {
    const placed = place(name);
    functions.set(name, placed);
    return placed;
  });
  if (!rotate || !sweep) throw new TypeError('two functions were placed');
  if (options.rules)
    aws.events.subscribe(async (event) => {
      const givenUp = ['RotationFailed', 'RotationAbandoned'].includes(String(event.detail['eventName']));
      const hasNewValue = [SECRET_ROTATED, SECRET_ROLLED_BACK, ROTATION_TAKEN_BACK].includes(event['detail-type']);
      if (givenUp || hasNewValue) await sweep.invokeAsync(event);
    });
  faults.kill = async () => {
    await Promise.all(all.map((placed) => placed.kill()));
  };

  const hasSecret = (name: string): boolean =>
    Object.values(aws.secretsManager.secrets).some((secret) => secret.name === name);
  const putSecret: Machine['putSecret'] = async (name, value) => {
    const { service } = aws.secretsManager;
    const input = { ClientRequestToken: randomUUID(), SecretString: JSON.stringify(value) };
    record?.made(name);
    await (hasSecret(name)
      ? service.operations['PutSecretValue']?.({ SecretId: name, ...input })
      : service.operations['CreateSecret']?.({ Name: name, ...input }));
  };

  const running = started.move();
  return {
    clock,
    faults,
    atlas,
    atlasOrigin: atlasServer.origin,
    aws,
    awsEndpoint: awsServer.origin,
    sdk: { region: REGION, endpoint: awsServer.origin, credentials: CREDENTIALS },
    rotate,
    sweep,
    environment,
    stateTable: STATE_TABLE,
    reportBucket: REPORT_BUCKET,
    alertQueue,
    alertDeadLetters,
    lambda,
    invoke: async (name, event) => lambda(name).invoke(event),
    container: (name, further) => place(built(name), further),
    hasSecret,
    putSecret,
    seedAtlasCredentials: (given) =>
      putSecret(
        ATLAS_CREDENTIALS,
        'secrets' in given
          ? { clientId: given.clientId, clientSecret: atlas.world.addSecret(given).value }
          : { ...given },
      ),
    seedWebhookSecret: (secrets) => putSecret(WEBHOOK, secrets),
    async deliver({ once = false, redeliver = false } = {}) {
      const deliveries: Delivery[] = [];
      for (;;) {
        const delivery = await deliverBatch({
          queue: alertQueue,
          fn: lambda('deliver-tickets'),
          batchSize: ALERT_QUEUE.batchSize,
          account: ACCOUNT,
          region: REGION,
        });
        if (delivery) deliveries.push(delivery);
        if (redeliver)
          for (const { id, receipt = '' } of delivery?.messages ?? [])
            if (delivery?.failed.includes(id)) alertQueue.changeVisibility(receipt, 0);
        if (once || !delivery) return deliveries;
      }
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
