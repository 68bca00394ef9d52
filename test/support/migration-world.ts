import { inject } from 'vitest';
import type { Cluster } from '../../infra/local/atlas-sandbox/state/clusters.ts';
import type { Plan as Course } from '../../infra/local/atlas-sandbox/state/migration-course.ts';
import { type Machine, type MachineOptions, startMachine } from '../../infra/local/machine.ts';
import { answersUntil } from './migration-answers.ts';

/** What a command answers about a migration. */
export interface Migration {
  readonly runId: string;
  readonly state: string;
  readonly reason: string;
  readonly planDigest: string;
  readonly nextPollAt: string;
  readonly nextSteps: readonly string[];
  readonly rollback: { readonly pastReturn: boolean; readonly options: readonly string[] };
  readonly liveMigrationId: string | null;
  readonly approval: { readonly approvalId: string; readonly until: string } | null;
  readonly deadline: { readonly earliest: string; readonly latest: string; readonly local: string } | null;
}

export interface MigrationWorldOptions extends Omit<MachineOptions, 'settings'> {
  /** The `migration` section of the settings file. */
  readonly migration?: Readonly<Record<string, unknown>>;
}

/** A linked organization with a source and destinations, and both functions of the migration on one machine. */
export async function startMigrationWorld({ migration = {}, ...options }: MigrationWorldOptions = {}) {
  const machine = await startMachine({
    bundles: inject('bundles'),
    settings: { migration },
    ...options,
  });
  const { world } = machine.atlas;
  const org = world.addOrg({ name: 'move' });
  const project = world.addProject(org, { name: 'target' });
  const account = world.addOrgAccount(org, { name: 'migrator', roles: ['ORG_OWNER'] });
  await machine.seedAtlasCredentials({ clientId: account.clientId, clientSecret: world.addSecret(account).value });
  let count = 0;

  return {
    machine,
    org,
    project,

    /** A destination with a fresh snapshot, a source that fits it, and the request that moves one into the other. */
    seed(course: Partial<Course> = {}) {
      const name = `orders-${++count}`;
      const host = `host-${count}.example.com`;
      const cluster = world.clusters.add(project, {
        name,
        backupEnabled: true,
        createdAt: new Date(machine.clock.now().getTime() - 10 * 86_400_000),
      });
      const source = world.migrations.connect(org, {
        name: `source of ${name}`,
        migrationHosts: [host],
        deployments: [{ name }],
      });
      world.migrations.plan(cluster, course);
      const request = {
        orgId: org.id,
        source: { groupId: source.projectId, clusterName: name, ssl: true, managedAuthentication: true },
        destination: { groupId: project.id, clusterName: name, hostnameSchemaType: 'PUBLIC' },
        migrationHost: host,
      };
      return { cluster, request };
    },

    command: (event: object) => machine.invoke('command-live-migration', event) as Promise<Record<string, unknown>>,

    async plan(request: object, over: object = {}) {
      return (await machine.invoke('command-live-migration', {
        action: 'plan',
        request,
        requestedBy: 'ada',
        ...answersUntil(new Date(machine.clock.now().getTime() + 86_400_000)),
        ...over,
      })) as {
        plan: { digest: string; checks: { id: string; outcome: string; evidence: string }[] };
        canStart: boolean;
        standsAgainst: { id: string }[];
      };
    },

    /** A plan whose validation is done. */
    async planned(request: object, over: object = {}) {
      await this.plan(request, over);
      machine.clock.advance(60_000);
      return this.plan(request, over);
    },

    async start(planDigest: string, over: object = {}): Promise<Migration> {
      const answer = await this.command({ action: 'start', planDigest, requestedBy: 'ada', ...over });
      return answer['migration'] as Migration;
    },

    /** One look at all that is due at the clock's time; it waits for nothing. */
    async tick(): Promise<Migration[]> {
      const event = { at: machine.clock.now().toISOString() };
      const answer = (await machine.invoke('watch-live-migrations', event)) as { migrations: Migration[] };
      return answer.migrations;
    },

    /** Ticks, each as much later as said, until a migration is in this state. */
    async until(runId: string, state: string, { everyMs = 300_000, most = 60 } = {}): Promise<Migration> {
      let last: Migration | undefined;
      for (let tick = 0; tick < most; tick++) {
        machine.clock.advance(everyMs);
        last = (await this.tick()).find((each) => each.runId === runId) ?? last;
        if (last?.state === state) return last;
      }
      throw new Error(`${runId} never came to ${state}: it is ${last?.state} (${last?.reason})`);
    },

    sent: (operation: string): number => machine.faults.journal.filter((call) => call.operation === operation).length,
    [Symbol.asyncDispose]: () => machine[Symbol.asyncDispose](),
  };
}
export type MigrationWorld = Awaited<ReturnType<typeof startMigrationWorld>>;
export type { Cluster, Machine };
