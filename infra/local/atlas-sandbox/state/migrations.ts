import type { Generator } from '../generator.ts';
import type { Cluster } from './clusters.ts';
import type { Events } from './events.ts';
import type { Interval } from './interval.ts';
import { type Course, courseOf, type Happened, type Plan, usualPlan } from './migration-course.ts';

/** A deployment Cloud Manager watches, that could be migrated. */
export interface Deployment {
  readonly clusterId: string;
  readonly name: string;
  readonly mongoDBVersion: string;
  readonly featureCompatibilityVersion: string;
  readonly sharded: boolean;
  readonly shardsSize: number;
  readonly tlsEnabled: boolean;
  readonly managed: boolean;
  readonly dbSizeBytes: number;
  readonly oplogSizeMB: number;
  readonly agentVersion: string;
}

/** A project of Cloud Manager that is linked to an organization. */
export interface SourceProject {
  readonly projectId: string;
  readonly name: string;
  readonly migrationHosts: readonly string[];
  readonly deployments: readonly Deployment[];
}

export interface Validation {
  readonly id: string;
  readonly groupId: string;
  readonly sourceGroupId: string;
  readonly createdAt: Date;
  readonly plan: Plan;
  /** What the request itself has against it. */
  readonly problem: string | undefined;
}

export interface Migration extends Happened {
  readonly id: string;
  readonly groupId: string;
  readonly orgId: string;
  readonly clusterId: string;
  readonly clusterName: string;
  readonly migrationHost: string;
  readonly dropsDestination: boolean;
  cutoverAt: Date | undefined;
  cancelledAt: Date | undefined;
  extendedHours: number;
}

type NewMigration = Pick<Migration, 'orgId' | 'migrationHost' | 'dropsDestination'>;

/** Push live migrations into this organization's clusters, by virtual time. */
export class Migrations {
  /** By organization: whether a link token was made, and the projects linked with it. */
  readonly links = new Map<string, { readonly sources: SourceProject[] }>();
  readonly validations = new Map<string, Validation>();
  readonly #migrations = new Map<string, Migration>();
  readonly #told = new Set<string>();
  readonly #plans = new Map<string, Plan>();
  readonly #now: () => Date;
  readonly #generator: Generator;

  /** What a picture of this state holds. */
  get collections() {
    return {
      links: this.links,
      validations: this.validations,
      migrations: this.#migrations,
      told: this.#told,
      plans: this.#plans,
    };
  }

  constructor(world: { now(): Date }, generator: Generator, events: Events) {
    this.#now = () => world.now();
    this.#generator = generator;
    events.catchUp = () => this.#tell(events);
  }

  /** What the API does for a link token; a link there is already stays. */
  link(orgId: string): string {
    if (!this.links.has(orgId)) this.links.set(orgId, { sources: [] });
    return this.#generator.token(96);
  }

  /** Links a project of Cloud Manager, as though somebody had entered the token there. */
  connect(
    org: { readonly id: string },
    { name, migrationHosts = ['migration-host.example.com'], deployments }: ConnectedProject,
  ): SourceProject {
    this.link(org.id);
    const source: SourceProject = {
      projectId: this.#generator.hex(24),
      name,
      migrationHosts,
      deployments: deployments.map((deployment) => ({
        clusterId: this.#generator.hex(24),
        mongoDBVersion: '8.0.16',
        featureCompatibilityVersion: '8.0',
        sharded: false,
        shardsSize: deployment.sharded ? 2 : 1,
        tlsEnabled: true,
        managed: true,
        dbSizeBytes: 5_000_000_000,
        oplogSizeMB: 2048,
        agentVersion: '13.32.0.9552-1',
        ...deployment,
      })),
    };
    this.links.get(org.id)?.sources.push(source);
    return source;
  }

  /** How validations and migrations of this destination go from now on, where not as usual. */
  plan(cluster: Cluster, plan: Partial<Plan>): void {
    this.#plans.set(cluster.id, { ...usualPlan, ...plan });
  }

  validate(cluster: Cluster, sourceGroupId: string, problem: string | undefined): Validation {
    const { id, createdAt, plan } = this.#begin(cluster);
    const validation = { id, createdAt, plan, groupId: cluster.groupId, sourceGroupId, problem };
    this.validations.set(id, validation);
    return validation;
  }

  start(cluster: Cluster, migration: NewMigration): Migration {
    const started: Migration = {
      ...this.#begin(cluster),
      groupId: cluster.groupId,
      clusterId: cluster.id,
      clusterName: cluster.name,
      ...migration,
      cutoverAt: undefined,
      cancelledAt: undefined,
      extendedHours: 0,
    };
    this.#migrations.set(started.id, started);
    return started;
  }

  find(id: string): Migration | undefined {
    return this.#migrations.get(id);
  }

  /** Also what a click in the user interface does. */
  cutOver(migration: Migration): void {
    migration.cutoverAt = this.#now();
  }

  /** In the user interface only. */
  cancel(migration: Migration): void {
    migration.cancelledAt = this.#now();
  }

  /** In the user interface only. */
  extend(migration: Migration, hours: number): void {
    migration.extendedHours += hours;
  }

  courseOf(migration: Migration): Course {
    return courseOf(migration, this.#now());
  }

  /** Migrations that have not come to an end, of a destination or using a host. */
  running(isMeant: (migration: Migration) => boolean): Migration[] {
    return [...this.#migrations.values()].filter((each) => isMeant(each) && !this.courseOf(each).endedAt);
  }

  /** When a migration kept the cluster from being backed up. */
  pausesOf(cluster: Cluster): Interval[] {
    if (this.#migrations.size === 0) return [];
    return [...this.#migrations.values()]
      .filter(({ clusterId }) => clusterId === cluster.id)
      .map((migration) => ({ from: migration.createdAt, to: this.courseOf(migration).endedAt }));
  }

  /** Records what has happened to migrations up to now and was not told before. */
  #tell(events: Events): void {
    for (const migration of this.#migrations.values()) {
      const { groupId, clusterName: name } = migration;
      for (const [eventTypeName, createdAt] of this.#eventsOf(migration)) {
        const key = `${migration.id} ${eventTypeName}`;
        if (this.#told.has(key)) continue;
        this.#told.add(key);
        events.record({ eventTypeName, groupId, createdAt, details: { clusterName: name } });
      }
    }
  }

  #eventsOf(migration: Migration): [type: string, at: Date][] {
    const { createdAt, cutoverAt, cancelledAt } = migration;
    const { status, endedAt } = this.courseOf(migration);
    const wasCancelled = endedAt !== undefined && cancelledAt?.getTime() === endedAt.getTime();
    const ending = { COMPLETE: 'COMPLETED', EXPIRED: 'EXPIRED', FAILED: 'FAILED', NEW: '', WORKING: '' }[status];
    return [
      ['CLUSTER_IMPORT_STARTED', createdAt],
      ...(cutoverAt ? ([['CLUSTER_IMPORT_CUTOVER', cutoverAt]] satisfies [string, Date][]) : []),
      ...(endedAt
        ? ([[`CLUSTER_IMPORT_${wasCancelled ? 'CANCELLED' : ending}`, endedAt]] satisfies [string, Date][])
        : []),
    ];
  }

  #begin(cluster: Cluster): { readonly id: string; readonly createdAt: Date; readonly plan: Plan } {
    return {
      id: this.#generator.hex(24),
      createdAt: this.#now(),
      plan: this.#plans.get(cluster.id) ?? usualPlan,
    };
  }
}

interface ConnectedProject {
  readonly name: string;
  readonly migrationHosts?: readonly string[];
  readonly deployments: readonly (Pick<Deployment, 'name'> & Partial<Deployment>)[];
}
