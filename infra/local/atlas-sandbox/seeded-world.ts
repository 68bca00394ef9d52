import type { Cluster, ClusterOptions, Provider, Region } from './state/clusters.ts';
import { derivedNumber } from './state/derived-id.ts';
import { copyTo, defaultSchedule } from './state/schedule.ts';
import type { Organization, Project, World } from './world.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export interface WorldSize {
  readonly orgs: number;
  /** Of all organizations together. */
  readonly projects: number;
  /** Of all projects together. */
  readonly clusters: number;
  /** What is where, and what is wrong with it, follows from it. */
  readonly seed: string;
}

export interface SeededWorld {
  readonly orgs: readonly Organization[];
  readonly projects: readonly Project[];
}

const places: readonly (readonly Region[])[] = [
  [{ provider: 'AWS', name: 'US_EAST_1' }],
  [{ provider: 'AWS', name: 'EU_CENTRAL_1' }],
  [{ provider: 'AZURE', name: 'EUROPE_NORTH' }],
  [{ provider: 'GCP', name: 'CENTRAL_US' }],
  [
    { provider: 'AWS', name: 'US_EAST_1', nodes: 2 },
    { provider: 'AWS', name: 'US_WEST_2', nodes: 1 },
  ],
];
const multiCloud: readonly Region[] = [
  { provider: 'AWS', name: 'US_EAST_1', nodes: 2 },
  { provider: 'GCP', name: 'CENTRAL_US', nodes: 1 },
];
const copyTargets: Record<Provider, string> = { AWS: 'EU_WEST_1', AZURE: 'EUROPE_WEST', GCP: 'WESTERN_EUROPE' };
const tiers = ['M10', 'M20', 'M30', 'M40', 'M60'];
const versions = ['7.0.26', '8.0.29', '8.0.29', '8.0.29'];
const stages = ['prod', 'prod', 'staging', 'dev'];

/**
 * Fills the world with projects and clusters of every kind: mostly replica sets, some sharded, flex, free, paused or
 * multi-cloud ones, with schedules, compliance policies and mishaps of backups among them. The same seed gives the
 * same world at the same time of the clock.
 */
export function seedWorld(world: World, { orgs, projects, clusters, seed }: WorldSize): SeededWorld {
  const now = world.now().getTime();
  const seededOrgs = Array.from({ length: orgs }, (_, nth) => world.addOrg({ name: `org-${nth + 1}` }));
  const seededProjects = Array.from({ length: projects }, (_, nth) => {
    const org = seededOrgs[nth % orgs];
    if (!org) throw new Error('a world with projects needs an organization');
    const project = world.addProject(org, { name: `project-${nth + 1}` });
    if (derivedNumber(100, seed, 'compliance', nth) < 5) addCompliance(world, project);
    return project;
  });
  for (let nth = 0; nth < clusters; nth += 1) {
    const project = seededProjects[nth % projects];
    if (!project) throw new Error('a world with clusters needs a project');
    // One draw decides everything about the cluster: each of its digits something else.
    const draw = derivedNumber(2 ** 32, seed, 'cluster', nth);
    const createdAt = new Date(now - (2 + (draw % 900)) * DAY_MS - (draw % 1440) * 60_000);
    const cluster = world.clusters.add(project, clusterOptions(nth, draw, createdAt));
    if (cluster.backupEnabled && cluster.kind !== 'flex') configure(world, cluster, Math.floor(draw / 1000) % 100);
  }
  return { orgs: seededOrgs, projects: seededProjects };
}

function addCompliance(world: World, project: Project): void {
  world.compliance.set(project, {
    scheduledPolicyItems: [
      { id: project.id, frequencyType: 'daily', frequencyInterval: 1, retentionUnit: 'days', retentionValue: 7 },
    ],
    updatedAt: new Date(world.now().getTime() - 30 * DAY_MS),
  });
}

function clusterOptions(nth: number, draw: number, createdAt: Date): ClusterOptions {
  const percent = draw % 100;
  const pick = <T>(list: readonly T[], by: number): T | undefined => list[Math.floor(draw / by) % list.length];
  const name = `cluster-${nth + 1}`;
  const common = { name, createdAt, tags: [{ key: 'environment', value: pick(stages, 10) ?? 'dev' }] };
  const mongoDBVersion = pick(versions, 100) ?? '8.0.29';
  const regions = pick(places, 1000) ?? multiCloud;
  if (percent < 8) return { ...common, kind: 'flex' };
  if (percent < 11) return { ...common, kind: 'free' };
  const dedicated = {
    ...common,
    mongoDBVersion,
    regions,
    tier: pick(tiers, 7) ?? 'M10',
    pitEnabled: percent % 3 === 0,
  };
  if (percent < 24) return { ...dedicated, kind: 'sharded', tier: 'M30', shards: 2 + (draw % 3) };
  if (percent < 28) return { ...dedicated, regions: multiCloud };
  if (percent < 31) return { ...dedicated, pausedAt: new Date(createdAt.getTime() + DAY_MS) };
  return { ...dedicated, backupEnabled: percent < 96 };
}

/** Most clusters keep Atlas's schedule; each small group of the others has something of its own. */
function configure(world: World, cluster: Cluster, percent: number): void {
  const { backups } = world;
  const hoursAgo = (hours: number): Date => new Date(world.now().getTime() - hours * HOUR_MS);
  const { items } = defaultSchedule(cluster);
  const provider = cluster.zones[0]?.regions[0]?.provider ?? 'AWS';
  if (percent < 6) backups.setSchedule(cluster, { items: items.filter((item) => item.frequencyType === 'daily') });
  else if (percent < 14) {
    const copy = copyTo(cluster, copyTargets[provider], { cloudProvider: provider, frequencies: ['DAILY', 'WEEKLY'] });
    backups.setSchedule(cluster, { copySettings: [copy] });
  } else if (percent < 16) backups.disturb(cluster, { from: hoursAgo(60), outcome: 'missed' });
  else if (percent < 18) backups.disturb(cluster, { from: hoursAgo(20), outcome: 'failed' });
  else if (percent < 19) backups.disturb(cluster, { from: hoursAgo(30), outcome: 'fallback' });
  else if (percent < 20) backups.disturb(cluster, { from: hoursAgo(12), outcome: 'inProgress' });
  else if (percent < 22) backups.disturb(cluster, { from: hoursAgo(240), to: hoursAgo(200), outcome: 'missed' });
}
