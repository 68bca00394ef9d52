import type { Events } from '../aws/events.ts';
import { FAN_OUT_REQUESTED, FanOutRequested } from '../events/fan-out.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Acknowledgements } from './acknowledgements.ts';
import { type TargetOf, targetName } from './settings.ts';
import { FanOutFailed, type Target } from './target.ts';

interface Surroundings {
  readonly events: Events;
  readonly acknowledgements: Acknowledgements;
  readonly clock: Clock;
}

/**
 * A Secret of a Kubernetes cluster that this bundle does not reach. An event asks for it, without the value: a
 * controller in the cluster reads that from Secrets Manager under its own role, and then acknowledges the version.
 */
export function createKubernetesTarget(
  settings: TargetOf<'kubernetes'>,
  { events, acknowledgements, clock }: Surroundings,
): Target {
  const { cluster, namespace, secret, field } = settings;
  const name = targetName(settings);
  return {
    name,

    async holds({ secretArn, versionId }, deadline) {
      const known = await acknowledgements.read(name, secretArn, deadline);
      return known?.versionId === versionId && known.acknowledgedAt !== undefined;
    },

    async deliver({ secretArn, versionId }, deadline) {
      // Remembered first: without it nobody could acknowledge what the event asks for.
      const { requestedAt } = await acknowledgements.requested(name, { secretArn, versionId }, clock.now(), deadline);
      const detail: FanOutRequested = {
        secretArn,
        versionId,
        target: name,
        kind: 'kubernetes',
        cluster,
        namespace,
        secret,
        field: field ?? null,
        requestedAt,
      };
      const told = await events.publish(
        { detailType: FAN_OUT_REQUESTED, detail: FanOutRequested.parse(detail), resources: [secretArn] },
        deadline,
      );
      if (!told) throw new FanOutFailed('FAN_OUT_UNAVAILABLE', `there is no bus to ask ${name} by`, { target: name });
      return 'requested';
    },
  };
}
