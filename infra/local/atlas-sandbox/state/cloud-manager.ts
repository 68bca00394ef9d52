import type { Generator } from '../generator.ts';
import type { Organization } from '../world.ts';

/** A project of Cloud Manager: watched by agents, and unknown to the Atlas APIs. */
export interface CloudManagerProject {
  readonly id: string;
  readonly orgId: string;
  readonly agentApiKey: string;
  name: string;
  activeAgentCount: number;
  lastActiveAgent: Date;
  replicaSetCount: number;
  shardCount: number;
  hostCounts: HostCounts;
}

const noHosts = { arbiter: 0, config: 0, primary: 0, secondary: 0, mongos: 0, master: 0, slave: 0 };

type HostCounts = Record<keyof typeof noHosts, number>;

export type NewCloudManagerProject = Pick<CloudManagerProject, 'name'> & {
  readonly activeAgentCount?: number;
  readonly replicaSetCount?: number;
  readonly shardCount?: number;
  readonly hostCounts?: Partial<HostCounts>;
};

/** Cloud Manager's projects, of all organizations. */
export class CloudManager {
  readonly projects = new Map<string, CloudManagerProject>();
  readonly #time: { now(): Date };
  readonly #generator: Generator;

  /** What a picture of this state holds. */
  get collections() {
    return { projects: this.projects };
  }

  constructor(time: { now(): Date }, generator: Generator) {
    this.#time = time;
    this.#generator = generator;
  }

  add(org: Organization, { hostCounts, ...counts }: NewCloudManagerProject): CloudManagerProject {
    const project: CloudManagerProject = {
      id: this.#generator.hex(24),
      orgId: org.id,
      agentApiKey: this.#generator.hex(32),
      activeAgentCount: 1,
      lastActiveAgent: this.#time.now(),
      replicaSetCount: 1,
      shardCount: 0,
      hostCounts: { ...noHosts, ...hostCounts },
      ...counts,
    };
    this.projects.set(project.id, project);
    return project;
  }
}
