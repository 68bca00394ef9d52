import { AutomationError } from '../../lib/errors.ts';

/**
 * Part of the organization could not be read. The report is stored and says what is missing; what it does say is true.
 * Lambda's retry reads what was unreadable again.
 */
export class AuditIncomplete extends AutomationError {
  override readonly name = 'AuditIncomplete';
  readonly code = 'AUDIT_INCOMPLETE';
  readonly disposition = 'retry';
}

/** Nothing could be judged: not even the list of projects could be read. Old findings stay as they are. */
export class AuditFailed extends AutomationError {
  override readonly name = 'AuditFailed';
  readonly code = 'AUDIT_FAILED';
  readonly disposition = 'retry';
}

/** Time ran out. What was done is kept: the next invocation goes on from there. */
export class AuditUnfinished extends AutomationError {
  override readonly name = 'AuditUnfinished';
  readonly code = 'AUDIT_UNFINISHED';
  readonly disposition = 'retry';
}

/** Another invocation goes on with this run. Nothing is lost, and this one has nothing left to do. */
export class AuditTakenOver extends AutomationError {
  override readonly name = 'AuditTakenOver';
  readonly code = 'AUDIT_TAKEN_OVER';
  readonly disposition = 'give-up';
}

/** There is no such project or cluster, or several. */
export class ClusterNotFound extends AutomationError {
  override readonly name = 'ClusterNotFound';
  readonly code = 'CLUSTER_NOT_FOUND';
  readonly disposition = 'give-up';
}

/** A plan can't be applied: unknown, expired, applied already, or approved by whoever asked for it. Nothing was changed. */
export class PlanRefused extends AutomationError {
  override readonly name = 'PlanRefused';
  readonly code = 'PLAN_REFUSED';
  readonly disposition = 'give-up';
}

/** Some clusters of a plan were not changed; the others were, and the outcome lists both. */
export class RemediationIncomplete extends AutomationError {
  override readonly name = 'RemediationIncomplete';
  readonly code = 'REMEDIATION_INCOMPLETE';
  readonly disposition = 'give-up';
}
