import {
  CreateSecretCommand,
  PutSecretValueCommand,
  RotateSecretCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { inject } from 'vitest';
import type { Secret, ServiceAccount } from '../../infra/local/atlas-sandbox/world.ts';
import type { PlannedFault } from '../../infra/local/faults.ts';
import { type Machine, type MachineOptions, startMachine } from '../../infra/local/machine.ts';

const DAY = 86_400_000;
const MINUTE = 60_000;

export interface Scene {
  readonly mode: 'self' | 'admin';
  readonly scope: 'org' | 'project';
  /** What the account's second slot holds before the rotation. */
  readonly second: 'none' | 'expired' | 'previous' | 'foreign';
}

/** A managed secret in a scene, and what was true of it at every moment of its rotation. */
export interface Subject {
  readonly arn: string;
  readonly account: ServiceAccount;
  readonly initialVersion: string;
  readonly initialSecret: Secret;
  /** What must never have been so, in words; empty in a good world. */
  readonly violations: string[];
}

/** The whole machine with its rules under watch: after every call of anybody the invariants are looked at. */
export async function startRotationWorld(options: MachineOptions = {}) {
  const machine = await startMachine({
    bundles: inject('bundles'),
    rotationRetry: { attempts: 2, delayMs: 0 },
    ...options,
  });
  const client = new SecretsManagerClient({ ...machine.sdk, maxAttempts: 1 });
  let watched: Subject | undefined;
  machine.faults.observe = ({ operation, status, fault }) => {
    if (watched) look(machine, watched, `${operation} ${status ?? ''}${fault ? ` (${fault})` : ''}`);
    if (/^create.*Secret$/.test(operation) && status === 400)
      watched?.violations.push('a secret was asked for while the account had two');
  };
  let count = 0;

  return {
    machine,
    client,

    async seed({ mode, scope, second }: Scene): Promise<Subject> {
      machine.faults.plan([]);
      watched = undefined;
      const { world } = machine.atlas;
      const daysAgo = (days: number): Date => new Date(machine.clock.now().getTime() - days * DAY);
      const name = `subject-${++count}`;
      const org = world.addOrg({ name });
      const project = world.addProject(org, { name });
      const account =
        scope === 'org'
          ? world.addOrgAccount(org, { name, roles: [mode === 'self' ? 'ORG_OWNER' : 'ORG_MEMBER'] })
          : world.addProjectAccount(project, { name, roles: [mode === 'self' ? 'GROUP_OWNER' : 'GROUP_READ_ONLY'] });
      let adminSecretArn: string | undefined;
      if (mode === 'admin') {
        const admin = world.addOrgAccount(org, { name: `${name} admin`, roles: ['ORG_OWNER'] });
        const value = JSON.stringify({ clientId: admin.clientId, clientSecret: world.addSecret(admin).value });
        adminSecretArn = (await client.send(new CreateSecretCommand({ Name: `${name}-admin`, SecretString: value })))
          .ARN;
      }
      const storedFor = (secret: Secret): string =>
        JSON.stringify({
          clientId: account.clientId,
          clientSecret: secret.value,
          ...(scope === 'org' ? { orgId: org.id } : { groupId: project.id }),
          secretId: secret.id,
          createdAt: secret.createdAt.toISOString(),
          expiresAt: secret.expiresAt.toISOString(),
          ...(adminSecretArn && { adminSecretArn }),
        });
      const create = async (secret: Secret) => {
        const { ARN = '', VersionId = '' } = await client.send(
          new CreateSecretCommand({ Name: name, SecretString: storedFor(secret) }),
        );
        return { ARN, VersionId };
      };
      let made: { ARN: string; VersionId: string };
      let initialSecret: Secret;
      if (second === 'previous' || second === 'expired') {
        const old = world.addSecret(account, {
          createdAt: daysAgo(60),
          expiresAt: daysAgo(second === 'expired' ? 23 : -30),
        });
        made = await create(old);
        initialSecret = world.addSecret(account, { createdAt: daysAgo(30) });
        const { VersionId = '' } = await client.send(
          new PutSecretValueCommand({ SecretId: made.ARN, SecretString: storedFor(initialSecret) }),
        );
        made = { ...made, VersionId };
        // The value before has had its grace since.
        machine.clock.advance(8 * DAY);
      } else {
        initialSecret = world.addSecret(account, { createdAt: daysAgo(30) });
        made = await create(initialSecret);
        if (second === 'foreign') world.addSecret(account, { createdAt: daysAgo(3), lastUsedAt: daysAgo(1) });
      }
      return { arn: made.ARN, account, initialVersion: made.VersionId, initialSecret, violations: [] };
    },

    /** Asks Secrets Manager to rotate, with `faults` counted from that moment, and waits until it has given up or is done. */
    async rotate(subject: Subject, faults: readonly PlannedFault[] = []): Promise<void> {
      watched = subject;
      machine.faults.plan(afterThisCall(faults));
      await client.send(
        new RotateSecretCommand({
          SecretId: subject.arn,
          RotationLambdaARN: machine.rotate.arn,
          RotationRules: { AutomaticallyAfterDays: 30 },
        }),
      );
      await machine.aws.secretsManager.rotationsSettled();
      await machine.faults.settle();
    },

    /** What Secrets Manager's next try, or a person, would do: the four steps again, or a new rotation; later each time. */
    async recover(subject: Subject): Promise<void> {
      machine.faults.plan([]);
      for (let round = 0; round < 4 && !isRotated(machine, subject); round++) {
        machine.clock.advance(round === 0 ? 0 : 21 * MINUTE);
        const { labels } = secretOf(machine, subject);
        const token = labels['AWSPENDING'];
        if (token === undefined) {
          await client.send(new RotateSecretCommand({ SecretId: subject.arn }));
          await machine.aws.secretsManager.rotationsSettled();
          continue;
        }
        try {
          for (const Step of ['createSecret', 'setSecret', 'testSecret', 'finishSecret']) {
            await machine.rotate.invoke({ Step, SecretId: subject.arn, ClientRequestToken: token });
          }
        } catch {
          // The next round, later, is the answer.
        }
      }
    },

    /** Runs every step once more for the version that is current now: must change nothing. */
    async repeatSteps(subject: Subject): Promise<void> {
      const token = secretOf(machine, subject).labels['AWSCURRENT'];
      for (const Step of ['createSecret', 'setSecret', 'testSecret', 'finishSecret']) {
        await machine.rotate.invoke({ Step, SecretId: subject.arn, ClientRequestToken: token });
      }
    },

    isRotated: (subject: Subject) => isRotated(machine, subject),
    secretOf: (subject: Subject) => secretOf(machine, subject),
    valueAt: (subject: Subject, label: string) => valueAt(machine, subject, label),

    async [Symbol.asyncDispose]() {
      client.destroy();
      await machine[Symbol.asyncDispose]();
    },
  };
}

export type RotationWorld = Awaited<ReturnType<typeof startRotationWorld>>;

/** The RotateSecret call that starts it all is not counted. */
const afterThisCall = (faults: readonly PlannedFault[]): PlannedFault[] =>
  faults.map((fault) => (fault.operation === '*' ? { ...fault, nth: fault.nth + 1 } : fault));

const secretOf = (machine: Machine, { arn }: Subject) => {
  const secret = machine.aws.secretsManager.secrets[arn];
  if (!secret) throw new Error(`there is no secret ${arn}`);
  return secret;
};

interface Stored {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly secretId?: string;
}

/** What a version holds, where it holds an account's value at all. */
function storedIn(text: string | undefined): Stored | undefined {
  return text?.startsWith('{') ? (JSON.parse(text) as Stored) : undefined;
}

function valueAt(machine: Machine, subject: Subject, label: string): Stored | undefined {
  const secret = secretOf(machine, subject);
  return storedIn(secret.versions.find(({ id }) => id === secret.labels[label])?.text);
}

const isRotated = (machine: Machine, subject: Subject): boolean =>
  secretOf(machine, subject).labels['AWSCURRENT'] !== subject.initialVersion;

/** The invariants that hold at every single moment. */
function look(machine: Machine, subject: Subject, after: string): void {
  const { world } = machine.atlas;
  const say = (what: string): void => {
    subject.violations.push(`after ${after}: ${what}`);
  };
  const current = valueAt(machine, subject, 'AWSCURRENT');
  if (!current || !world.isUsable(current.clientId, current.clientSecret)) say('the current value mints no token');
  if (subject.account.secrets.length > 2) say('the account has more than two secrets');
  const stored = secretOf(machine, subject).versions.map(({ text }) => storedIn(text)?.clientSecret);
  const unheld = subject.account.secrets.filter(
    ({ value, lastUsedAt }) => !stored.includes(value) && lastUsedAt === undefined,
  );
  if (unheld.length > 1) say('more than one secret is held by nobody');
}
