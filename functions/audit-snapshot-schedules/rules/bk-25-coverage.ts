import type { Options } from '../policy/options.ts';
import type { Coverage } from '../report.ts';
import { fail, pass, type Verdict } from './rule.ts';

/** What the audit says of itself: no green report on partial data. Of the whole organization, so it has no scope here. */
export const coverage = {
  id: 'BK-25',
  title: 'The audit saw everything',
  severity: 'critical',
  motive: 'A report about half of the clusters is no report about the others, and must not look like one.',
  evidence: 'projects and clusters read of those known, and what could not be read',
  remedy: 'Give the auditor’s account the roles it lacks, or run it again once Atlas answers; see coverage.unreadable.',
} as const;

export function judgeCoverage(seen: Coverage, { minPercent }: Options<'BK-25'>): Verdict {
  const unreadableProjects = seen.projects - seen.projectsRead;
  const evidence = {
    projects: seen.projects,
    projectsRead: seen.projectsRead,
    clusters: seen.clusters,
    clustersRead: seen.clustersRead,
    excludedInternal: seen.excludedInternal,
    percent: seen.percent,
    projectListComplete: seen.projectListComplete,
  };
  if (!seen.projectListComplete) return fail('the list of projects could not be read to its end', evidence);
  if (unreadableProjects > 0) return fail(`${unreadableProjects} projects could not be read`, evidence);
  if (seen.percent < minPercent) return fail(`${seen.percent} % of the clusters were evaluated`, evidence);
  return pass(`${seen.percent} % of the clusters were evaluated`, evidence);
}
