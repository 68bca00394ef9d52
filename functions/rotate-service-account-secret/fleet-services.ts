import type * as z from 'zod';
import type { AtlasClient } from '../../lib/atlas/client.ts';
import { createPace } from '../../lib/atlas/pace.ts';
import type { Reports } from '../../lib/aws/reports.ts';
import type { State } from '../../lib/aws/state.ts';
import { type Acknowledgements, createAcknowledgements } from '../../lib/fan-out/acknowledgements.ts';
import { createTargets, type OpenTarget } from '../../lib/fan-out/targets.ts';
import { systemClock } from '../../lib/runtime/clock.ts';
import type { SweepConfig } from './contract.ts';
import { targetsAcknowledged } from './fan-out-gate.ts';
import { createLeases, type Leases } from './fleet-lease.ts';
import { everyGate, replicasInSync } from './retirement.ts';
import type { Services } from './rotation.ts';
import { createServices } from './services.ts';

/** The outside world of a sweep: that of a rotation, and what only the sweep may reach. */
export interface SweepServices {
  readonly rotation: Services;
  readonly state: State | undefined;
  readonly reports: Reports | undefined;
  readonly leases: Leases;
  readonly acknowledgements: Acknowledgements;
  readonly openTarget: OpenTarget;
  /** Atlas as the automation itself, where it has credentials of its own. */
  readonly automation: { readonly atlas: AtlasClient; readonly credentialsSecret: string } | undefined;
}

export async function createSweepServices(config: z.output<typeof SweepConfig>): Promise<SweepServices> {
  const { STATE_TABLE, REPORT_BUCKET, ATLAS_CREDENTIALS_SECRET, MONGODB_ATLAS_BASE_URL: origin } = config;
  // One for all accounts: those of an organization share its limit, whoever calls.
  const pace = createPace(systemClock);
  const services = createServices(config, { pace });
  const { secretsManager, events } = services;
  const [state, reports, atlas] = await Promise.all([
    STATE_TABLE === undefined
      ? undefined
      : import('../../lib/aws/state.ts').then(({ createState }) => createState(STATE_TABLE)),
    REPORT_BUCKET === undefined
      ? undefined
      : import('../../lib/aws/reports.ts').then(({ createReports }) => createReports(REPORT_BUCKET)),
    ATLAS_CREDENTIALS_SECRET === undefined
      ? undefined
      : import('../../lib/aws/atlas-access.ts').then(({ createAtlas }) =>
          createAtlas({ origin, credentialsSecret: ATLAS_CREDENTIALS_SECRET, secretsManager, pace }),
        ),
  ]);
  const clock = systemClock;
  const acknowledgements = createAcknowledgements(state);
  const openTarget = createTargets({ secretsManager, events, acknowledgements, clock });
  return {
    rotation: {
      ...services,
      mayRetire: everyGate(replicasInSync, targetsAcknowledged({ services, openTarget, clock })),
    },
    state,
    reports,
    leases: createLeases(state, clock),
    acknowledgements,
    openTarget,
    automation:
      atlas === undefined || ATLAS_CREDENTIALS_SECRET === undefined
        ? undefined
        : { atlas, credentialsSecret: ATLAS_CREDENTIALS_SECRET },
  };
}
