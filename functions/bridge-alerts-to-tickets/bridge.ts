import { randomUUID } from 'node:crypto';
import type { AtlasClient } from '../../lib/atlas/client.ts';
import { createAtlas } from '../../lib/aws/atlas-access.ts';
import { createSecretsManager } from '../../lib/aws/secrets-manager.ts';
import { createState, type State } from '../../lib/aws/state.ts';
import { AutomationError } from '../../lib/errors.ts';
import { type Clock, systemClock } from '../../lib/runtime/clock.ts';
import { createTickets } from '../../lib/tickets/create-tickets.ts';
import type { Severity, Tickets } from '../../lib/tickets/tickets.ts';
import { type AtlasView, createAtlasView } from './atlas-view.ts';
import type { Incident } from './core/incident.ts';
import type { PlanContext } from './core/plan.ts';
import { coverOf, fits } from './cover.ts';
import { createPacer, type Pacer } from './pacer.ts';
import type { TicketSettings } from './settings.ts';
import { createStore, type Store } from './store.ts';

/** Something the settings no longer name. Its incidents stay as they are. */
export class DestinationUnknown extends AutomationError {
  override readonly name = 'DestinationUnknown';
  readonly code = 'TICKET_DESTINATION_UNKNOWN';
  readonly disposition = 'give-up';
}

/** What all four functions work with. */
export interface Bridge {
  readonly settings: TicketSettings;
  readonly clock: Clock;
  readonly store: Store;
  readonly pacer: Pacer;
  /** Loaded when first used. Throws DestinationUnknown. */
  tickets(destination: string): Promise<Tickets>;
  /** Missing where there are no credentials for Atlas. */
  readonly atlas: AtlasView | undefined;
  newToken(): string;
}

interface Environment {
  readonly STATE_TABLE: string;
  readonly MONGODB_ATLAS_BASE_URL: string;
  readonly ATLAS_CREDENTIALS_SECRET?: string | undefined;
}

/** The outside world as it is. */
export function createBridge(environment: Environment, settings: TicketSettings): Bridge {
  const secretsManager = createSecretsManager();
  const { ATLAS_CREDENTIALS_SECRET: credentialsSecret, MONGODB_ATLAS_BASE_URL: origin } = environment;
  const made = new Map<string, Promise<Tickets>>();
  return assemble({
    settings,
    clock: systemClock,
    state: createState(environment.STATE_TABLE),
    atlas: credentialsSecret === undefined ? undefined : createAtlas({ origin, credentialsSecret, secretsManager }),
    newToken: randomUUID,
    tickets(id) {
      const destination = settings.destinations.find((each) => each.id === id);
      if (!destination)
        throw new DestinationUnknown(`the settings do not name the destination ${id}`, { destination: id });
      const tickets =
        made.get(id) ??
        createTickets(destination, {
          async credentials(secret, deadline) {
            const value = await secretsManager.read(secret, { stage: 'AWSCURRENT' }, deadline);
            if (value === undefined)
              throw new DestinationUnknown(`the secret of ${id} has no value`, {
                destination: id,
                managedSecret: secret,
              });
            return value;
          },
        });
      made.set(id, tickets);
      tickets.catch(() => made.delete(id));
      return tickets;
    },
  });
}

/** A bridge over any state, any trackers and any Atlas. */
export function assemble(parts: {
  readonly settings: TicketSettings;
  readonly clock: Clock;
  readonly state: State;
  readonly atlas: Pick<AtlasClient, 'call' | 'follow'> | undefined;
  readonly tickets: (destination: string) => Promise<Tickets>;
  readonly newToken: () => string;
  readonly pacer?: Pacer;
}): Bridge {
  const { settings, clock, state, atlas, newToken } = parts;
  return {
    settings,
    clock,
    newToken,
    store: createStore(state, clock, newToken),
    pacer: parts.pacer ?? createPacer(state, clock),
    atlas: atlas && createAtlasView(atlas, state, clock),
    tickets: async (destination) => parts.tickets(destination),
  };
}

/** What the pure core needs to know to decide about an incident now. */
export function contextOf(
  { settings, clock, atlas }: Pick<Bridge, 'settings' | 'clock' | 'atlas'>,
  traits: PlanContext['traits'],
): PlanContext {
  const { policy } = settings;
  return {
    policy,
    traits,
    now: clock.now().getTime(),
    acknowledges: atlas !== undefined,
    isInhibitor: (type) => fits(policy.inhibitors, type),
    isInhibited: (type) => fits(policy.inhibited, type),
    coveredUntil: (member, incident, now) => coverOf(settings, traceOf(incident, member), now)?.until,
  };
}

const traceOf = (
  { scope }: Incident,
  member: { type: string; severity: Severity; host?: string | undefined; metric?: string | undefined },
) => ({
  source: scope.source,
  projectId: scope.projectId,
  cluster: scope.cluster,
  tags: scope.tags,
  type: member.type,
  severity: member.severity,
  host: member.host,
  metric: member.metric,
});
