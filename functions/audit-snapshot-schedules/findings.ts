/** From judgements to findings: identity, and what became of each since the last run. */
import type { Judgement } from './engine.ts';
import type { RuleId } from './policy/options.ts';
import { type Finding, isOpen, NOBODY, type Status } from './report.ts';
import { describedRule } from './rules/catalogue.ts';
import { iso } from './rules/time.ts';

/** What a finding is about. Ids alone make the identity: names come and go, and are given again. */
export interface About {
  readonly organizationId: string;
  readonly projectId: string | null;
  readonly projectName: string | null;
  readonly clusterId: string | null;
  readonly clusterName: string | null;
}

export const findingId = ({ organizationId, projectId, clusterId }: About, rule: RuleId): string =>
  [organizationId, projectId ?? NOBODY, clusterId ?? NOBODY, rule].join('/');

/** A finding of this run, told apart from that of the last one. */
export function findingOf(
  judgement: Judgement,
  about: About,
  policyDigest: string,
  previous: Finding | undefined,
  now: number,
): Finding {
  const { title } = describedRule(judgement.rule);
  // What could not be looked at again stays as it was last seen: nothing is resolved by not looking.
  if (previous && isUnread(judgement) && (previous.status === 'FAIL' || previous.status === 'WARN')) {
    return {
      ...keptAsItWas(previous),
      ...about,
      evidence: { ...previous.evidence, notSeenAgain: judgement.reason },
    };
  }
  const { rule, status, reason, severity, evidence, exemption } = judgement;
  const seen = iso(now);
  return {
    id: findingId(about, rule),
    rule,
    title,
    status,
    reason,
    severity,
    ...about,
    evidence,
    policyDigest,
    firstSeen: previous && isOpen(previous.status) === isOpen(status) ? previous.firstSeen : seen,
    lastSeen: seen,
    change: changeOf(previous?.status, status),
    previousStatus: previous?.status ?? null,
    exemption,
  };
}

/** A finding that could not be looked at in this run. */
export const keptAsItWas = (previous: Finding): Finding => ({
  ...previous,
  change: 'unchanged',
  previousStatus: previous.status,
});

/** A finding whose cluster or project is no more: closed, and not because anything was mended. */
export const goneWith = (previous: Finding, now: number): Finding => ({
  ...previous,
  change: 'gone',
  previousStatus: previous.status,
  lastSeen: iso(now),
  evidence: { ...previous.evidence, closedAs: 'resource_gone' },
});

function changeOf(before: Status | undefined, after: Status): Finding['change'] {
  if (before === undefined) return 'new';
  if (before === after) return 'unchanged';
  return isOpen(before) && !isOpen(after) ? 'resolved' : 'changed';
}

const isUnread = ({ status, evidence }: Judgement): boolean =>
  status === 'UNKNOWN' && typeof evidence['cause'] === 'string';
