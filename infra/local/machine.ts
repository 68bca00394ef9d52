import path from 'node:path';
import { type AtlasSandbox, createAtlasSandbox, type SandboxOptions } from './atlas-sandbox/sandbox.ts';
import { createEmbeddedAws, type EmbeddedAws } from './aws/embedded-aws.ts';
import type { RotationRetry } from './aws/secrets-manager/rotation.ts';
import { createMovableClock, type MovableClock } from './clock.ts';
import { FaultPlan } from './faults.ts';
import { createLocalFunction, type LocalFunction } from './lambda/function.ts';

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
  readonly atlas?: Pick<SandboxOptions, 'limits' | 'maxSecretValidityHours'>;
  readonly rotationRetry?: RotationRetry;
  /** Timeout of every function. */
  readonly timeoutMs?: number;
  /** Gets what the functions print: their logs and metrics. */
  readonly onOutput?: (text: string) => void;
}

/** Atlas, AWS and the Lambda functions on one machine, wired as the stack wires them. */
export interface Machine extends AsyncDisposable {
  readonly clock: MovableClock;
  /** Faults and the journal of both services: calls are counted over both, in the order they came. */
  readonly faults: FaultPlan;
  readonly atlas: AtlasSandbox;
  readonly atlasOrigin: string;
  readonly aws: EmbeddedAws;
  readonly awsEndpoint: string;
  /** What an AWS SDK needs to talk to the embedded services. */
  readonly sdk: { region: string; endpoint: string; credentials: { accessKeyId: string; secretAccessKey: string } };
  readonly rotate: LocalFunction;
  readonly sweep: LocalFunction;
}

const REGION = 'us-east-1';
/** The embedded services check that requests are signed, not by whom. */
const CREDENTIALS = { accessKeyId: 'local', secretAccessKey: 'local' };

export async function startMachine(options: MachineOptions = {}): Promise<Machine> {
  const { bundles = DIST, seed = 'atlas-automation', settings = {}, clock = createMovableClock() } = options;
  await using started = new AsyncDisposableStack();
  const faults = new FaultPlan();

  const atlas = createAtlasSandbox({ seed, clock, faults, ...options.atlas });
  const atlasServer = started.use(await atlas.listen());

  const functions = new Map<string, LocalFunction>();
  const aws = createEmbeddedAws({
    seed,
    clock,
    faults,
    region: REGION,
    ...(options.rotationRetry && { rotationRetry: options.rotationRetry }),
    async invoke(arn, event) {
      const invoked = functions.get(arn);
      if (!invoked) throw new Error(`there is no function ${arn}`);
      await invoked.invoke(event);
    },
  });
  const awsServer = started.use(await aws.listen());

  const place = (name: string): LocalFunction => {
    const placed = started.use(
      createLocalFunction({
        name,
        bundles,
        region: REGION,
        environment: {
          MONGODB_ATLAS_BASE_URL: atlasServer.origin,
          EVENT_BUS: 'default',
          AUTOMATION_SETTINGS: JSON.stringify(settings),
          AWS_ENDPOINT_URL: awsServer.origin,
          AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
          AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
        },
        ...(options.timeoutMs !== undefined && { timeoutMs: options.timeoutMs }),
        ...(options.onOutput && { onOutput: options.onOutput }),
      }),
    );
    functions.set(placed.arn, placed);
    return placed;
  };
  const rotate = place('rotate-service-account-secret');
  const sweep = place('sweep-service-account-secrets');
  faults.kill = async () => {
    await Promise.all([...functions.values()].map((placed) => placed.kill()));
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
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
