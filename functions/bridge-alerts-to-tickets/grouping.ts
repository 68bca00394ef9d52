import { createHash } from 'node:crypto';
import type { Subject } from './observation.ts';
import type { GroupBy } from './settings.ts';

/** Hosts of a cluster are named after it: `cluster0-shard-00-01.ab12c.mongodb.net:27017`; replica sets likewise. */
const MEMBER = /-(?:shard|config|mongos)-\d+(?:-\d+)?(?:[.:].*)?$/;

/** The part of a host's or a replica set's name that all members of the cluster share. */
export function stemOf(name: string | undefined): string | undefined {
  if (!name) return undefined;
  const lower = name.toLowerCase();
  return MEMBER.test(lower) ? lower.replace(MEMBER, '') : lower.replace(/:\d+$/, '');
}

/**
 * Every name under which the alert's cluster goes, the one people chose first. Nothing is asked of anybody, so two
 * alerts of one cluster may have no name in common.
 */
export function clusterNames(subject: Subject): string[] {
  const names = [
    subject.clusterName?.toLowerCase(),
    stemOf(subject.hostAlias),
    stemOf(subject.replicaSet),
    stemOf(subject.host),
    subject.clusterId?.toLowerCase(),
  ];
  return [...new Set(names.filter((name) => name !== undefined))];
}

/**
 * The queue's group: what must be delivered in order and one after the other. Known from the message alone; the
 * incident itself is found later, when more is known about the cluster.
 */
export function queueGroupOf(id: string, subject: Subject): string {
  const scope = [
    subject.projectId ?? subject.orgId ?? 'none',
    clusterNames(subject)[0] ?? `type:${subject.type || id}`,
  ];
  return digestOf(...scope).slice(0, 40);
}

/** The incident an alert belongs to, by what its route groups by. `cluster` is the one name all its alerts share. */
export function incidentKey(
  id: string,
  subject: Subject,
  cluster: string | undefined,
  groupBy: readonly GroupBy[],
): string {
  const apart = cluster === undefined && groupBy.includes('cluster');
  const values: Record<GroupBy, string> = {
    project: subject.projectId ?? subject.orgId ?? '',
    cluster: cluster ?? '',
    type: subject.type,
    metric: subject.metric ?? '',
    host: subject.host ?? '',
    alertConfig: subject.alertConfigId ?? '',
    alert: id,
  };
  const parts = [...groupBy].toSorted().map((by) => `${by}=${values[by]}`);
  return digestOf(...parts, ...(apart ? [`type=${subject.type}`, `metric=${values.metric}`] : [])).slice(0, 32);
}

/** Hexadecimal digest of parts that may hold anything. */
export const digestOf = (...parts: readonly string[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('hex');
