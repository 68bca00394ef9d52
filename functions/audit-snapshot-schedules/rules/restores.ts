import type { ClusterFacts, RestoreFact } from '../facts.ts';

/** Deliveries that put data into a cluster. */
const INTO_CLUSTERS = ['automated', 'pointInTime', 'RESTORE'];

export interface Restores {
  /** Successful restores into an allowed project, the latest first. */
  readonly tests: readonly RestoreFact[];
  /** Restores into a project that is not for tests: somebody had to, or made a mistake. */
  readonly incidents: readonly RestoreFact[];
  /** Whether something that is not told could make a test of a restore. */
  readonly open: boolean;
}

/** Whether data was put into a cluster, and all went well. */
export const isDone = ({ delivery, finishedAt, failed, cancelled, expired }: RestoreFact): boolean =>
  delivery !== null &&
  INTO_CLUSTERS.includes(delivery) &&
  finishedAt !== null &&
  failed === false &&
  cancelled === false &&
  expired === false;

/** Whether it may have gone well: something that would tell is not told. */
const isOpen = ({ delivery, finishedAt, failed, cancelled, expired }: RestoreFact): boolean =>
  (delivery === null || INTO_CLUSTERS.includes(delivery)) &&
  finishedAt !== null &&
  failed !== true &&
  cancelled !== true &&
  expired !== true;

/** Tells tests from incidents. A restore into its own cluster, or into a project that is not on the list, is no test. */
export function restoresOf(
  { project, name }: ClusterFacts,
  restores: readonly RestoreFact[],
  isTarget: (projectId: string) => boolean,
): Restores {
  const isElsewhere = ({ targetProjectId, targetCluster }: RestoreFact): boolean | null =>
    targetProjectId === null || targetCluster === null
      ? null
      : !(targetProjectId === project.id && targetCluster === name);
  const isAllowed = (each: RestoreFact): boolean | null => {
    if (each.targetProjectId === null) return null;
    return isTarget(each.targetProjectId) ? isElsewhere(each) : false;
  };
  const done = latestFirst(restores.filter(isDone));
  return {
    tests: done.filter((each) => isAllowed(each) === true),
    incidents: done.filter((each) => isAllowed(each) === false),
    open: restores.some(
      (each) => isOpen(each) && isAllowed(each) !== false && !(isDone(each) && isAllowed(each) === true),
    ),
  };
}

export const latestFirst = (restores: readonly RestoreFact[]): RestoreFact[] =>
  restores.toSorted((a, b) => (b.finishedAt ?? 0) - (a.finishedAt ?? 0) || (a.id < b.id ? -1 : 1));
