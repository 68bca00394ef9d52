import type { ClusterFacts, ProjectFacts } from '../facts.ts';
import type { Options, RuleId } from '../policy/options.ts';
import type { Resolved } from '../policy/resolve.ts';
import type { Finding, Severity } from '../report.ts';

export type Evidence = Finding['evidence'];

/** What a rule says, before exceptions and history have their say. */
export interface Verdict {
  readonly status: 'PASS' | 'FAIL' | 'WARN' | 'NOT_APPLICABLE' | 'UNKNOWN';
  readonly reason: string;
  readonly evidence: Evidence;
  /** Where this case is worse than the rule's own severity. */
  readonly severity?: Severity;
}

export interface Judging<Id extends RuleId> {
  readonly policy: Resolved;
  readonly options: Options<Id>;
  /** Milliseconds since 1970, by Atlas's clock. */
  readonly now: number;
}

interface Described<Id extends RuleId> {
  readonly id: Id;
  readonly title: string;
  readonly severity: Severity;
  /** Whose demand it is, or what goes wrong without it. */
  readonly motive: string;
  /** What is looked at. */
  readonly evidence: string;
  readonly remedy: string;
}

/** Judges one cluster. Total: whatever the facts, it answers, and reads nothing but its arguments. */
export interface ClusterRule<Id extends RuleId = RuleId> extends Described<Id> {
  readonly scope: 'cluster';
  /** The kinds of clusters it is about; of others it is not applicable. */
  readonly kinds: readonly ClusterFacts['kind'][];
  /**
   * What has to be there for the question to make sense: `cluster` nothing more, `backup` backup switched on,
   * `snapshots` snapshots being taken, so neither paused nor under a live migration.
   */
  readonly about: 'cluster' | 'backup' | 'snapshots';
  judge(facts: ClusterFacts, judging: Judging<Id>): Verdict;
}

/** Judges one project, once for all its clusters. */
export interface ProjectRule<Id extends RuleId = RuleId> extends Described<Id> {
  readonly scope: 'project';
  judge(facts: ProjectFacts, judging: Judging<Id>): Verdict;
}

/** Keeps the literal id, so that options are typed by it. */
export const clusterRule = <const Id extends RuleId>(rule: Omit<ClusterRule<Id>, 'scope'>): ClusterRule<Id> => ({
  scope: 'cluster',
  ...rule,
});
export const projectRule = <const Id extends RuleId>(rule: Omit<ProjectRule<Id>, 'scope'>): ProjectRule<Id> => ({
  scope: 'project',
  ...rule,
});

const said =
  (status: Verdict['status']) =>
  (reason: string, evidence: Evidence = {}, severity?: Severity): Verdict => ({
    status,
    reason,
    evidence,
    ...(severity && { severity }),
  });
export const pass = said('PASS');
export const fail = said('FAIL');
export const warn = said('WARN');
export const notApplicable = said('NOT_APPLICABLE');
export const unknown = said('UNKNOWN');

/** UNKNOWN, because a read that was needed failed. */
export const unread = ({ operation, cause, reason }: { operation: string; cause: string; reason: string }): Verdict =>
  unknown(`${operation} could not be read: ${reason}`, { operation, cause });
