import { AtlasRejected } from '../../lib/atlas/errors.ts';
import type { Alert } from '../../lib/atlas/operations/alerts.ts';
import type { Deadline } from '../../lib/runtime/deadline.ts';
import { deadlineIn } from '../../lib/runtime/deadline.ts';
import type { Bridge } from './bridge.ts';
import type { Journal } from './journal.ts';
import { isNewer, type Observation, RANK } from './observation.ts';
import type { AlertView } from './store.ts';

/** How long Atlas may take to settle a doubt. */
const PATIENCE_MS = 5_000;

/** An alert as Atlas itself shows it. */
export function observationOf(alert: Alert, via: Observation['via'], now: number): Observation {
  const { status, acknowledgedUntil, created, updated, resolved, lastNotified, currentValue } = alert;
  const state =
    status === 'CLOSED' ? 'closed' : status === 'CANCELLED' ? 'cancelled' : status === 'OPEN' ? 'open' : 'inform';
  const until = acknowledgedUntil?.getTime();
  const acknowledged = state === 'open' && until !== undefined && until > now;
  const at = (updated ?? resolved ?? lastNotified ?? created)?.getTime() ?? now;
  const rank =
    state === 'closed' || state === 'cancelled'
      ? RANK.over
      : acknowledged
        ? RANK.acknowledged
        : created && at > created.getTime()
          ? RANK.update
          : RANK.open;
  return {
    schema: 1,
    id: alert.id,
    state,
    version: { at: state === 'closed' && resolved ? Math.max(at, resolved.getTime()) : at, rank },
    subject: {
      type: alert.eventTypeName ?? 'UNKNOWN',
      ...(alert.groupId && { projectId: alert.groupId }),
      ...(alert.orgId && { orgId: alert.orgId }),
      ...(alert.alertConfigId && { alertConfigId: alert.alertConfigId }),
      ...(alert.clusterName && { clusterName: alert.clusterName }),
      ...(alert.replicaSetName && { replicaSet: alert.replicaSetName }),
      ...(alert.hostnameAndPort && { host: alert.hostnameAndPort }),
      ...(alert.metricName && { metric: alert.metricName }),
      ...(currentValue?.number != null && { value: currentValue.number }),
      ...(currentValue?.units && { units: currentValue.units }),
    },
    ...(created && { createdAt: created.getTime() }),
    ...(acknowledged && {
      acknowledged: {
        until,
        ...(alert.acknowledgingUsername && { by: alert.acknowledgingUsername }),
        ...(alert.acknowledgementComment && { comment: alert.acknowledgementComment }),
      },
    }),
    via,
    heardAt: now,
    digest: '',
  };
}

/**
 * What to believe of an observation. Where what was signed is old, says nothing, or stands against what came with it, Atlas
 * is asked; where Atlas can't be asked, only what was signed counts, and what is old counts for nothing. Undefined where
 * nothing is to be believed.
 */
export async function believe(
  observation: Observation,
  view: AlertView | undefined,
  { bridge, journal, deadline }: { readonly bridge: Bridge; readonly journal: Journal; readonly deadline: Deadline },
): Promise<Observation | undefined> {
  const { doubt, subject, id, digest } = observation;
  const over = observation.state === 'closed' || observation.state === 'cancelled';
  const overButOlder = over && view?.state === 'open' && !isNewer(observation.version, view.version);
  if (doubt === undefined && !overButOlder) return observation;
  const why = doubt ?? 'the end is older than what is known';
  const note = (decision: string, reason: string): void =>
    journal.note(view?.incidents[0] ?? 'unassigned', { decision, reason, alert: id, digest });

  const asked = await ask(bridge, subject.projectId, id, deadline);
  if (asked.kind === 'alert') {
    note('asked Atlas', `${why}: it is ${asked.alert.status ?? 'of no status'}`);
    const truth = observationOf(asked.alert, 'look', bridge.clock.now().getTime());
    const ended = truth.state === 'closed' || truth.state === 'cancelled';
    if (doubt === 'stale' && ended && !view) {
      note('nothing', 'replay: old news of an alert that is over');
      return undefined;
    }
    return { ...truth, digest, subject: { ...subject, ...truth.subject } };
  }
  const silent = asked.kind === 'unknown' ? 'Atlas does not know it' : 'Atlas could not be asked';
  switch (doubt) {
    case 'stale':
      note('nothing', `replay: older than a webhook can be, and ${silent}`);
      return undefined;
    case 'inform':
      note('taken as a notice', silent);
      return { ...observation, state: 'inform' };
    case 'contradicted':
      note(
        observation.state === 'unclear' ? 'nothing' : 'the signed words count',
        `contradicted by its header; ${silent}`,
      );
      return observation.state === 'unclear' ? undefined : observation;
    case 'unclear':
      note('taken as open', `nothing signed says how it stands; ${silent}`);
      return { ...observation, state: 'open' };
    case undefined:
      return observation;
  }
}

async function ask(
  { atlas, clock }: Bridge,
  projectId: string | undefined,
  id: string,
  deadline: Deadline,
): Promise<{ kind: 'alert'; alert: Alert } | { kind: 'unknown' } | { kind: 'silent' }> {
  if (!atlas || !projectId) return { kind: 'silent' };
  try {
    const patience = deadlineIn(Math.max(0, Math.min(PATIENCE_MS, deadline.remainingMs() - 2_000)), clock);
    const alert = await atlas.alert(projectId, id, patience);
    return alert ? { kind: 'alert', alert } : { kind: 'unknown' };
  } catch (error) {
    return error instanceof AtlasRejected && error.status === 404 ? { kind: 'unknown' } : { kind: 'silent' };
  }
}
