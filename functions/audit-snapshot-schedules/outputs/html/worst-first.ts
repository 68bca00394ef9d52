import { type ClusterSummary, type Finding, type Severity, type Status, severities } from '../../report.ts';
import { inOrder } from './states.ts';

/** What is kept of a cluster to order and to filter it. */
export interface Entry {
  /** Position in the source. */
  readonly row: number;
  readonly search: string;
  readonly project: string;
  readonly tier: string;
  readonly score: number;
  /** Of the newest usable snapshot, in minutes; -1 where there is none. */
  readonly age: number;
  readonly statuses: readonly Status[];
  readonly failing: readonly string[];
  /** Failing rules by severity, worst first, then unknown and warnings: what the order goes by. */
  readonly weight: readonly number[];
}

const SEARCHED = 200;

export function entryOf(cluster: ClusterSummary, row: number, severityOf: ReadonlyMap<string, Severity>): Entry {
  const rules = Object.entries(cluster.statuses);
  const failing = rules.flatMap(([rule, status]) => (status === 'FAIL' ? [rule] : []));
  const count = (wanted: Status): number => rules.filter(([, status]) => status === wanted).length;
  const weight = severities.map((severity) => failing.filter((rule) => severityOf.get(rule) === severity).length);
  const project = cluster.projectName.slice(0, SEARCHED);
  const name = cluster.clusterName.slice(0, SEARCHED);
  return {
    row,
    search: `${name} ${project} ${cluster.clusterId} ${cluster.projectId}`.toLowerCase(),
    project: project.toLowerCase(),
    tier: cluster.tier,
    score: cluster.score,
    age: cluster.newestSnapshotAgeSeconds === null ? -1 : Math.floor(cluster.newestSnapshotAgeSeconds / 60),
    statuses: [...new Set(rules.map(([, status]) => status))],
    failing,
    weight: [...weight, count('UNKNOWN'), count('WARN')],
  };
}

/** The more and the graver failures first; the lower score next; the order of the source decides the rest. */
export function worstFirst(a: Entry, b: Entry): number {
  for (const [at, weight] of a.weight.entries()) {
    const difference = (b.weight[at] ?? 0) - weight;
    if (difference !== 0) return difference;
  }
  return a.score - b.score || a.row - b.row;
}

type Graded = Pick<Finding, 'id' | 'status' | 'severity'>;

/** The same for findings of a project or the organization. */
export const graverFirst = (a: Graded, b: Graded): number =>
  inOrder.indexOf(a.status) - inOrder.indexOf(b.status) ||
  severities.indexOf(a.severity) - severities.indexOf(b.severity) ||
  (a.id < b.id ? -1 : 1);

/** Keeps the `most` worst of what it is given, without holding much more than them. */
export class Worst<T> {
  readonly #most: number;
  readonly #order: (a: T, b: T) => number;
  #kept: T[] = [];
  /** How many it was given in all. */
  added = 0;

  constructor(most: number, order: (a: T, b: T) => number) {
    this.#most = most;
    this.#order = order;
  }

  add(one: T): void {
    this.added += 1;
    this.#kept.push(one);
    if (this.#kept.length >= this.#most * 2) this.#kept = this.inOrder();
  }

  inOrder(): T[] {
    return this.#kept.toSorted(this.#order).slice(0, this.#most);
  }
}
