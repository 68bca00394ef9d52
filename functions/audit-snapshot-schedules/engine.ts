/** From facts and a policy to verdicts. Pure: no clock, no network, nothing remembered. */
import type { ClusterFacts, ProjectFacts } from './facts.ts';
import type { Exception } from './policy/document.ts';
import type { RuleId } from './policy/options.ts';
import type { Policy, Resolved } from './policy/resolve.ts';
import type { Finding, Severity, Status } from './report.ts';
import { clusterRules, describedRule, projectRules } from './rules/catalogue.ts';
import type { ClusterRule, Judging, Verdict } from './rules/rule.ts';
import { notApplicable, unknown } from './rules/rule.ts';
import { DAY_MS, iso } from './rules/time.ts';

/** An exception that ends sooner than this is told of. */
const WARN_BEFORE_MS = 14 * DAY_MS;
/** A migration that is under way for longer than this is taken for one that nobody ended. */
const MIGRATION_LASTS_MS = 7 * DAY_MS;
/** In whatever words its record says that it is over. */
const OVER = /^(COMPLETE|EXPIRED|FAILED|CANCEL|ABANDON)/i;

/** What a rule says in the end, before it is known what it said last time. */
export interface Judgement {
  readonly rule: RuleId;
  readonly status: Status;
  readonly reason: string;
  readonly severity: Severity;
  readonly evidence: Finding['evidence'];
  readonly exemption: Finding['exemption'];
}

export const subjectOf = (cluster: ClusterFacts) => ({
  projectId: cluster.project.id,
  projectName: cluster.project.name,
  clusterId: cluster.id,
  clusterName: cluster.name,
  tags: [...cluster.project.tags, ...cluster.tags],
});

export const subjectOfProject = (project: Pick<ProjectFacts, 'id' | 'name' | 'tags'>) => ({
  projectId: project.id,
  projectName: project.name,
  tags: project.tags,
});

/** Every rule about one cluster. Of a deleted one, only those that are about what is left of it. */
export function judgeCluster(cluster: ClusterFacts, policy: Policy, now: number): Judgement[] {
  const resolved = policy.resolve(subjectOf(cluster));
  return clusterRules
    .filter(({ kinds }) => cluster.kind !== 'deleted' || kinds.some((kind) => kind === 'deleted'))
    .map((rule) => conclude(rule.id, judgeBy(rule, cluster, resolved, now), resolved, now));
}

/** Every rule about one project as a whole. */
export function judgeProject(project: ProjectFacts, policy: Policy, now: number): Judgement[] {
  const resolved = policy.resolve(subjectOfProject(project));
  return projectRules.map((rule) =>
    conclude(
      rule.id,
      guarded(rule.id, resolved, () => askProject(rule, project, resolved, now)),
      resolved,
      now,
    ),
  );
}

/** Whether snapshots of the cluster are paused by a live migration that can still be going on. */
export const isMigrating = ({ migration }: ClusterFacts, now: number): boolean =>
  migration !== null && now - migration.since < MIGRATION_LASTS_MS && !OVER.test(migration.state);

function judgeBy(rule: (typeof clusterRules)[number], cluster: ClusterFacts, resolved: Resolved, now: number): Verdict {
  const { kind } = cluster;
  if (!rule.kinds.some((each) => each === kind)) return notApplicable(`not for a ${kind} cluster`);
  return guarded(rule.id, resolved, () => {
    if (rule.about !== 'cluster' && cluster.backupEnabled === false) {
      return notApplicable('backup is off: see BK-01', { backupEnabled: false });
    }
    if (rule.about === 'snapshots') {
      const { migration } = cluster;
      if (migration && isMigrating(cluster, now)) {
        const evidence = { migrationId: migration.id, state: migration.state, since: iso(migration.since) };
        return notApplicable(
          `live migration ${migration.id} has paused its snapshots since ${iso(migration.since)}`,
          evidence,
        );
      }
      if (cluster.paused === true)
        return notApplicable('the cluster is paused: no snapshots are taken', { paused: true });
    }
    return ask(rule, cluster, resolved, now);
  });
}

/** What the policy does not ask is not applicable, and a rule that breaks on facts nobody foresaw knows nothing. */
function guarded(id: RuleId, resolved: Resolved, judge: () => Verdict): Verdict {
  if (!resolved.rule(id).enabled) return notApplicable(`the policy does not ask this of tier ${resolved.tier}`);
  try {
    return judge();
  } catch (error) {
    return unknown('the rule could not be judged', { error: error instanceof Error ? error.name : 'Error' });
  }
}

function ask<Rule extends (typeof clusterRules)[number]>(
  rule: Rule,
  cluster: ClusterFacts,
  policy: Resolved,
  now: number,
): Verdict;
function ask(
  rule: Pick<ClusterRule<RuleId>, 'id' | 'judge'>,
  cluster: ClusterFacts,
  policy: Resolved,
  now: number,
): Verdict {
  return rule.judge(cluster, { policy, options: policy.options(rule.id), now });
}

function askProject<Rule extends (typeof projectRules)[number]>(
  rule: Rule,
  project: ProjectFacts,
  policy: Resolved,
  now: number,
): Verdict;
function askProject(
  rule: { readonly id: RuleId; judge(facts: ProjectFacts, judging: Judging<RuleId>): Verdict },
  project: ProjectFacts,
  policy: Resolved,
  now: number,
): Verdict {
  return rule.judge(project, { policy, options: policy.options(rule.id), now });
}

/** Severity by the policy, and exceptions: exempt until they end, told of before that, and a failure again after. */
export function conclude(rule: RuleId, verdict: Verdict, resolved: Resolved, now: number): Judgement {
  const { severity: asked, ended } = resolved.rule(rule);
  const base = {
    rule,
    reason: verdict.reason,
    severity: verdict.severity ?? asked ?? describedRule(rule).severity,
    evidence: verdict.evidence,
  };
  if (verdict.status !== 'FAIL' && verdict.status !== 'WARN')
    return { ...base, status: verdict.status, exemption: null };
  // Of several the one that lasts longest counts.
  const [exception] = resolved
    .exemptions(rule)
    .toSorted((a, b) => Date.parse(b.expires) - Date.parse(a.expires) || (a.name < b.name ? -1 : 1));
  const left = exception ? Date.parse(exception.expires) - now : 0;
  if (exception && left > 0) {
    const exemption = told(exception, false);
    return left > WARN_BEFORE_MS
      ? { ...base, status: 'EXEMPT', exemption }
      : {
          ...base,
          status: 'WARN',
          reason: `${verdict.reason}; its exemption ends ${iso(Date.parse(exception.expires))}`,
          exemption,
        };
  }
  const over = exception ?? ended;
  return over
    ? {
        ...base,
        status: verdict.status,
        evidence: { ...verdict.evidence, exemptionExpired: true },
        exemption: told(over, true),
      }
    : { ...base, status: verdict.status, exemption: null };
}

const told = ({ name, owner, reason, expires }: Exception, expired: boolean): NonNullable<Finding['exemption']> => ({
  name,
  owner,
  reason,
  until: iso(Date.parse(expires)),
  expired,
});
