import type { Clock } from '../../../../lib/runtime/clock.ts';
import type { Events } from '../event-bridge.ts';
import type { SeededIds } from '../seeded-ids.ts';
import { checkRules, nextRotation } from './schedule.ts';
import {
  attach,
  beforeWrite,
  CURRENT,
  detach,
  PENDING,
  type RotationRules,
  type RotationRun,
  type Secret,
  versionOf,
} from './secret.ts';
import { emptyVersion, tokenOf } from './values.ts';
import { invalidParameter, invalidRequest } from './vault.ts';

export type RotationStep = 'createSecret' | 'setSecret' | 'testSecret' | 'finishSecret';

/** What the rotation function is invoked with. */
export interface RotationEvent {
  readonly Step: RotationStep;
  /** The secret's ARN. */
  readonly SecretId: string;
  readonly ClientRequestToken: string;
  readonly RotationToken: string;
}

/** Runs the function with the event; rejects when it failed, timed out or was killed. */
export type InvokeRotation = (functionArn: string, event: RotationEvent) => Promise<void>;

/** A rotation starts over from createSecret this often, `delayMs` apart. AWS keeps its own numbers to itself. */
export interface RotationRetry {
  readonly attempts: number;
  readonly delayMs: number;
}

export interface Rotations {
  /** Configures and starts, as RotateSecret does; returns the version id at once. */
  rotate(secret: Secret, input: RotateInput): string;
  /** Drives a pending rotation again from createSecret, or starts a new one; undefined when the secret isn't due. */
  rotateIfDue(secret: Secret): string | undefined;
  /** A changed value counts as a rotation for the schedule. */
  reschedule(secret: Secret): void;
  abandoned(secret: Secret, token: string): void;
  /** Drives a rotation on that was under way when the process that drove it ended. */
  resume(secret: Secret): void;
  settled(): Promise<void>;
}

export interface RotateInput {
  readonly ClientRequestToken?: string | undefined;
  readonly RotationLambdaARN?: string | undefined;
  readonly RotationRules?: RotationRules | undefined;
  readonly RotateImmediately?: boolean | undefined;
}

export interface RotationEnvironment {
  readonly clock: Clock;
  readonly ids: SeededIds;
  readonly account: string;
  readonly region: string;
  readonly events: Events;
  readonly invoke?: InvokeRotation | undefined;
  readonly rotationRetry?: RotationRetry | undefined;
  /** Is told of a secret that a rotation changed. */
  readonly changed?: (secret: Secret) => void;
}

/**
 * How long a rotation that failed waits before it is tried again: as often as the bundle's own sweep looks. AWS says only
 * that it tries again.
 */
const FAILED_WAITS_MS = 3_600_000;

const everyStep: readonly RotationStep[] = ['createSecret', 'setSecret', 'testSecret', 'finishSecret'];

export function createRotations(environment: RotationEnvironment): Rotations {
  const { clock, ids, account, region, events, invoke, changed = () => {} } = environment;
  const { attempts, delayMs } = environment.rotationRetry ?? { attempts: 3, delayMs: 0 };
  const underWay = new Set<Promise<void>>();
  const driven = new Set<RotationRun>();

  const announce = (secret: Secret, token: string, eventName: string): void => {
    const { arn } = secret;
    changed(secret);
    events.putServiceEvent('aws.secretsmanager', 'AWS Service Event via CloudTrail', {
      eventVersion: '1.08',
      userIdentity: { accountId: account, invokedBy: 'secretsmanager.amazonaws.com' },
      eventTime: clock.now().toISOString(),
      eventSource: 'secretsmanager.amazonaws.com',
      eventName,
      awsRegion: region,
      sourceIPAddress: 'secretsmanager.amazonaws.com',
      userAgent: 'secretsmanager.amazonaws.com',
      requestParameters: null,
      responseElements: null,
      additionalEventData: { SecretId: arn },
      requestID: `Rotation-${arn}-${token}`,
      eventID: ids.uuid(),
      readOnly: false,
      eventType: 'AwsServiceEvent',
      managementEvent: true,
      recipientAccountId: account,
      eventCategory: 'Management',
    });
  };

  const reschedule = ({ rotation }: Secret): void => {
    const next = rotation?.rules && nextRotation(rotation.rules, clock.now());
    if (rotation && next) rotation.nextAt = next.getTime();
  };

  /** Someone else's version, a newer rotation or CancelRotateSecret ends a run between two steps. */
  const goesOn = (secret: Secret, run: RotationRun): boolean =>
    !run.cancelled && secret.run?.rotationToken === run.rotationToken;

  /** Calls the function once per step. False when the run ended underneath; rejects when the function did. */
  const walk = async (secret: Secret, run: RotationRun, steps: readonly RotationStep[]): Promise<boolean> => {
    for (const Step of steps) {
      if (!invoke || !secret.rotation || !goesOn(secret, run)) return false;
      await invoke(secret.rotation.lambdaArn, {
        Step,
        SecretId: secret.arn,
        ClientRequestToken: run.token,
        RotationToken: run.rotationToken,
      });
    }
    return goesOn(secret, run);
  };

  const succeed = (secret: Secret, run: RotationRun): void => {
    beforeWrite(secret, clock.now());
    if (secret.labels[PENDING] === run.token) detach(secret, PENDING);
    delete secret.run;
    if (secret.rotation) secret.rotation.lastAt = clock.now().getTime();
    reschedule(secret);
    announce(secret, run.token, 'RotationSucceeded');
  };

  const drive = async (secret: Secret, run: RotationRun): Promise<void> => {
    for (let attempt = 1; attempt <= attempts; attempt += 1) {
      if (attempt > 1) await clock.sleep(delayMs);
      try {
        if (!(await walk(secret, run, everyStep))) return;
        // Over only when AWSPENDING sits where AWSCURRENT does, or nowhere; otherwise the function did not finish.
        const pending = secret.labels[PENDING];
        if (pending === undefined || pending === secret.labels[CURRENT]) return succeed(secret, run);
      } catch {
        // Whatever the function threw is in its own log; the service only knows that it failed.
      }
      if (!goesOn(secret, run)) return;
    }
    run.failedAt = clock.now().getTime();
    announce(secret, run.token, 'RotationFailed');
  };

  /** Calls testSecret alone on the empty pending version, then removes that version. */
  const test = async (secret: Secret, run: RotationRun): Promise<void> => {
    const outcome = await walk(secret, run, ['testSecret']).catch(() => false);
    if (secret.run?.rotationToken !== run.rotationToken) return;
    delete secret.run;
    if (secret.labels[PENDING] === run.token) detach(secret, PENDING);
    secret.versions = secret.versions.filter(({ id }) => id !== run.token);
    announce(secret, run.token, outcome ? 'TestRotationSucceeded' : 'TestRotationFailed');
  };

  const inBackground = (run: RotationRun, work: () => Promise<void>): void => {
    driven.add(run);
    // Not before the answer to RotateSecret is on its way.
    const running = new Promise<void>((resolve) => setImmediate(resolve)).then(work);
    underWay.add(running);
    void running.finally(() => {
      underWay.delete(running);
      driven.delete(run);
    });
  };

  const start = (secret: Secret, token: string, immediately: boolean): string => {
    beforeWrite(secret, clock.now());
    emptyVersion(secret, token, clock.now());
    attach(secret, PENDING, token);
    const run: RotationRun = {
      token,
      rotationToken: ids.uuid(),
      cancelled: false,
      ...(!immediately && { testOnly: true }),
    };
    secret.run = run;
    announce(secret, token, immediately ? 'RotationStarted' : 'TestRotationStarted');
    if (invoke) inBackground(run, () => (immediately ? drive : test)(secret, run));
    return token;
  };

  return {
    reschedule,
    rotate(secret, input) {
      const token = tokenOf(input.ClientRequestToken, invalidParameter);
      if (input.RotationRules) checkRules(input.RotationRules);
      const lambdaArn = input.RotationLambdaARN ?? secret.rotation?.lambdaArn;
      if (!lambdaArn) throw invalidRequest('No Lambda rotation function ARN is associated with this secret.');
      if (versionOf(secret, token)) return token;
      const pending = secret.labels[PENDING];
      if (pending !== undefined && pending !== secret.labels[CURRENT]) {
        throw invalidRequest("A previous rotation isn't complete. That rotation will be reattempted.");
      }
      const rules = input.RotationRules ?? secret.rotation?.rules;
      secret.rotation = { ...secret.rotation, enabled: true, lambdaArn, ...(rules && { rules }) };
      if (input.RotationRules || secret.rotation.nextAt === undefined) reschedule(secret);
      return start(secret, token, input.RotateImmediately ?? true);
    },
    rotateIfDue(secret) {
      const { rotation, run } = secret;
      const due = rotation?.enabled && rotation.nextAt !== undefined && rotation.nextAt <= clock.now().getTime();
      if (!due || secret.deleteAt !== undefined) return undefined;
      const pending = secret.labels[PENDING];
      if (pending !== undefined && pending !== secret.labels[CURRENT]) {
        if (run?.token !== pending || driven.has(run)) return undefined;
        if (run.failedAt !== undefined && clock.now().getTime() < run.failedAt + FAILED_WAITS_MS) return undefined;
        run.cancelled = false;
        delete run.failedAt;
        changed(secret);
        inBackground(run, () => drive(secret, run));
        return run.token;
      }
      return start(secret, ids.uuid(), true);
    },
    abandoned: (secret, token) => announce(secret, token, 'RotationAbandoned'),
    resume(secret) {
      const { run, rotation } = secret;
      if (
        !run ||
        run.cancelled ||
        run.failedAt !== undefined ||
        driven.has(run) ||
        !rotation?.enabled ||
        secret.deleteAt !== undefined
      )
        return;
      inBackground(run, () => (run.testOnly ? test : drive)(secret, run));
    },
    async settled() {
      while (underWay.size > 0) await Promise.all(underWay);
    },
  };
}
