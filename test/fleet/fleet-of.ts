import { randomUUID } from 'node:crypto';
import { inject } from 'vitest';
import type { ServiceAccount } from '../../infra/local/atlas-sandbox/world.ts';
import { type Machine, type MachineOptions, startMachine } from '../../infra/local/machine.ts';

const DAY = 86_400_000;

export interface FleetOptions {
  readonly accounts: number;
  readonly mode: 'self' | 'admin';
  /** Whether the automation has credentials of its own, with which it may list. */
  readonly automation: boolean;
  /** Every account has a replaced secret in its grace beside the current one. */
  readonly inGrace?: boolean;
  /** Every current secret ends within three days: all of them want a rotation at once. */
  readonly ending?: boolean;
  readonly atlas?: MachineOptions['atlas'];
}

/** Many managed accounts of one organization, and the machine they are swept on. */
export async function startFleet(options: FleetOptions) {
  const { accounts, mode, automation, inGrace = false, ending = false } = options;
  const names = Array.from({ length: accounts }, (_, n) => `fleet-${n}`);
  const machine = await startMachine({
    bundles: inject('bundles'),
    seed: 'fleet',
    settings: {
      rotation: { secrets: names.map((secret) => ({ secret, ...(mode === 'admin' && { adminSecret: 'admin' }) })) },
    },
    atlas: { latencyMs: 100, ...options.atlas },
    rotationRetry: { attempts: 2, delayMs: 0 },
    timeoutMs: 900_000,
  });
  const { world } = machine.atlas;
  const org = world.addOrg({ name: 'fleet' });
  const ago = (days: number): Date => new Date(machine.clock.now().getTime() - days * DAY);
  const { secrets, service } = machine.aws.secretsManager;
  const create = async (Name: string, value: object): Promise<string> => {
    const made = await service.operations['CreateSecret']?.({
      Name,
      ClientRequestToken: randomUUID(),
      SecretString: JSON.stringify(value),
    });
    return (made as { ARN: string }).ARN;
  };
  const owner = world.addOrgAccount(org, { name: 'owner', roles: ['ORG_OWNER'] });
  const adminSecretArn = await create('admin', {
    clientId: owner.clientId,
    clientSecret: world.addSecret(owner).value,
  });
  const seeded: ServiceAccount[] = [];
  for (const name of names) {
    const account = world.addOrgAccount(org, { name, roles: [mode === 'self' ? 'ORG_OWNER' : 'ORG_MEMBER'] });
    const storedFor = (secret: ReturnType<typeof world.addSecret>) => ({
      clientId: account.clientId,
      clientSecret: secret.value,
      orgId: org.id,
      secretId: secret.id,
      createdAt: secret.createdAt.toISOString(),
      expiresAt: secret.expiresAt.toISOString(),
      ...(mode === 'admin' && { adminSecretArn }),
    });
    const old = inGrace ? world.addSecret(account, { createdAt: ago(30), expiresAt: ago(-7) }) : undefined;
    const current = world.addSecret(account, {
      createdAt: ago(inGrace ? 0 : 10),
      ...(ending && { expiresAt: ago(-2.5) }),
    });
    const arn = await create(name, storedFor(old ?? current));
    if (old)
      await service.operations['PutSecretValue']?.({
        SecretId: arn,
        ClientRequestToken: randomUUID(),
        SecretString: JSON.stringify(storedFor(current)),
      });
    const held = secrets[arn];
    if (!held) throw new Error('the secret was not made');
    held.rotation = {
      enabled: true,
      lambdaArn: machine.rotate.arn,
      rules: { AutomaticallyAfterDays: 30 },
      lastAt: ago(inGrace ? 0 : 10).getTime(),
    };
    seeded.push(account);
  }
  if (automation)
    await machine.seedAtlasCredentials(world.addOrgAccount(org, { name: 'automation', roles: ['ORG_READ_ONLY'] }));
  return { machine, org, accounts: seeded };
}

/** What a sweep took, by the journal of the services. */
export async function measure(machine: Machine, event: object = {}) {
  const { journal } = machine.faults;
  const before = journal.length;
  const begun = performance.now();
  const answer = (await machine.sweep.invoke(event)) as { swept: { state: string }[] };
  const seconds = (performance.now() - begun) / 1_000;
  const counts: Record<string, number> = {};
  const entries = journal.slice(before);
  for (const { operation } of entries) counts[operation] = (counts[operation] ?? 0) + 1;
  const states: Record<string, number> = {};
  for (const { state } of answer.swept) states[state] = (states[state] ?? 0) + 1;
  return {
    seconds: Number(seconds.toFixed(1)),
    refused: entries.filter(({ status }) => status === 429).length,
    states,
    counts,
  };
}
