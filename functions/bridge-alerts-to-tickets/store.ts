import * as z from 'zod';
import type { Key, State, Stored } from '../../lib/aws/state.ts';
import type { Clock } from '../../lib/runtime/clock.ts';
import type { Deadline } from '../../lib/runtime/deadline.ts';
import { parseJson } from '../../lib/runtime/json.ts';
import { severities } from '../../lib/tickets/tickets.ts';
import { Incident } from './core/incident.ts';
import { Version } from './observation.ts';

const DAY = 86_400_000;

/** An incident at a destination, by name. */
export interface IncidentId {
  readonly destination: string;
  readonly key: string;
}

/** What is remembered of one alert, whatever incidents it belongs to. Its end stays known for weeks. */
export const AlertView = z.object({
  state: z.enum(['open', 'closed', 'cancelled']),
  version: Version,
  type: z.string(),
  severity: z.enum(severities),
  createdAt: z.number(),
  overAt: z.number().optional(),
  projectId: z.string().optional(),
  /** Where it was put when it was first heard of. What is heard later goes there, though routes changed. */
  incidents: z.array(z.object({ destination: z.string(), key: z.string() })),
  /** Its end was the first that was heard of it: whoever was putting it into incidents meanwhile has to be told. */
  unheard: z.boolean().optional(),
  /** Why it has none. */
  unrouted: z.string().optional(),
  /** Of the last bytes that were taken, to tell a repeat from news. */
  digests: z.array(z.string()),
  /** Of what its incidents hold of it, to tell that it is still open from news about it. */
  gist: z.string().optional(),
  /** How often it was told again since then, and nothing else. In the audit trail once there is other news. */
  stills: z.int().optional(),
});
export type AlertView = z.output<typeof AlertView>;

/**
 * An incident as it lies in the table: one text, for a storm's incident has hundreds of alerts and each of their fields
 * would be an attribute of its own; and beside it what people look for.
 */
const Packed = z
  .object({ incident: z.string() })
  .transform(({ incident }) => parseJson(incident))
  .pipe(Incident);

const pack = (incident: Incident): object => {
  const { destination, route, serial, scope, ticket, members } = incident;
  const states = Object.values(members);
  return {
    destination,
    route,
    serial,
    ...(scope.projectId && { projectId: scope.projectId }),
    ...(scope.cluster && { cluster: scope.cluster }),
    ...(ticket && { ticket: ticket.ref.key, ticketUrl: ticket.ref.url, ticketState: ticket.state }),
    open: states.filter(({ state }) => state === 'open').length,
    alerts: states.length,
    incident: JSON.stringify(incident),
  };
};

const Due = z.object({ destination: z.string(), key: z.string() });
const Since = z.object({ since: z.number() });
const TicketOwner = z.object({ key: z.string() });

/** One entry of the audit trail. */
export interface Decision {
  readonly at: string;
  readonly decision: string;
  readonly reason: string;
  readonly alert?: string;
  readonly digest?: string;
  readonly count?: number;
}
export const Decisions = z.object({
  entries: z.array(
    z.object({
      at: z.string(),
      decision: z.string(),
      reason: z.string(),
      alert: z.string().optional(),
      digest: z.string().optional(),
      count: z.number().optional(),
    }),
  ),
});

/** How long the audit trail is kept. */
const AUDIT_DAYS = 400;

/** The bridge's part of the state, in its own words. */
export function createStore(state: State, clock: Clock, random: () => string) {
  const incidentKey = ({ destination, key }: IncidentId): Key => ({
    pk: `incident#${destination}#${key}`,
    sk: 'state',
  });
  const alertKey = (projectId: string | undefined, id: string): Key => ({ pk: `alert#${projectId ?? ''}`, sk: id });
  const at = (ms: number): string => new Date(ms).toISOString();

  return {
    readIncident: (id: IncidentId, deadline: Deadline): Promise<Stored<Incident> | undefined> =>
      state.read(incidentKey(id), Packed, deadline),
    async createIncident(incident: Incident, deadline: Deadline): Promise<Stored<Incident> | undefined> {
      const created = await state.create(incidentKey(incident), pack(incident), deadline);
      return created && { ...created, value: incident };
    },
    async replaceIncident(
      stored: Stored<Incident>,
      incident: Incident,
      deadline: Deadline,
      expiresAt?: Date,
    ): Promise<Stored<Incident> | undefined> {
      const replaced = await state.replace(stored, pack(incident), deadline, expiresAt ? { expiresAt } : {});
      return replaced && { ...replaced, value: incident };
    },

    readAlert: (projectId: string | undefined, id: string, deadline: Deadline) =>
      state.read(alertKey(projectId, id), AlertView, deadline),
    /** Of several alerts at once, in their order. */
    readAlerts: (alerts: readonly { projectId: string | undefined; id: string }[], deadline: Deadline) =>
      state.readAll(
        alerts.map(({ projectId, id }) => alertKey(projectId, id)),
        AlertView,
        deadline,
      ),
    createAlert: (id: string, view: AlertView, deadline: Deadline, expiresAt?: Date) =>
      state.create(alertKey(view.projectId, id), view, deadline, expiresAt ? { expiresAt } : {}),
    replaceAlert: (stored: Stored<AlertView>, view: AlertView, deadline: Deadline, expiresAt?: Date) =>
      state.replace(stored, view, deadline, expiresAt ? { expiresAt } : {}),

    /** Incidents of a project that have open alerts, and some that had. */
    openIncidents: (projectId: string, deadline: Deadline) => state.list(`open#${projectId}`, Due, deadline),
    /** Before an incident gets an alert: from then on Atlas is asked about it until all of its alerts are over. */
    async markOpen(projectId: string, { destination, key }: IncidentId, deadline: Deadline): Promise<void> {
      await state.create({ pk: `open#${projectId}`, sk: `${destination}#${key}` }, { destination, key }, deadline);
    },
    unmarkOpen: (item: Stored<unknown>, deadline: Deadline) => state.remove(item, deadline),

    /** Projects an alert was ever heard of. */
    projects: (deadline: Deadline) => state.list('alert-projects', Since, deadline),
    async knowProject(projectId: string, deadline: Deadline): Promise<void> {
      await state.create({ pk: 'alert-projects', sk: projectId }, { since: clock.now().getTime() }, deadline);
    },

    /** Which incident a ticket belongs to. */
    ownerOf: (destination: string, ticketId: string, deadline: Deadline) =>
      state.read({ pk: `ticket#${destination}`, sk: ticketId }, TicketOwner, deadline),
    async own(destination: string, ticketId: string, key: string, deadline: Deadline): Promise<void> {
      await state.create({ pk: `ticket#${destination}`, sk: ticketId }, { key }, deadline);
    },

    /**
     * The place of something that is due then: nobody looks at it before, somebody does soon after. Each call makes its
     * own, so that whoever takes one away takes nobody else's.
     */
    async makeDue({ destination, key }: IncidentId, ms: number, deadline: Deadline): Promise<string> {
      const sk = `${at(ms)}#${key}#${random()}`;
      await state.create({ pk: `due#${destination}`, sk }, { destination, key }, deadline);
      return sk;
    },
    dueAt: (dueKey: string): number => Date.parse(dueKey.slice(0, dueKey.indexOf('#'))),
    /** What is due by now, the longest first. */
    async *due(destination: string, deadline: Deadline): AsyncGenerator<Stored<z.output<typeof Due>>> {
      const now = at(clock.now().getTime());
      for await (const item of state.list(`due#${destination}`, Due, deadline)) {
        if (item.key.sk > now) return;
        yield item;
      }
    },
    removeDue: (item: Stored<unknown>, deadline: Deadline) => state.remove(item, deadline),

    /** What was given up, to be listed and taken up again. */
    dead: (destination: string, deadline: Deadline) => state.list(`dead#${destination}`, Due, deadline),
    async bury({ destination, key }: IncidentId, deadline: Deadline): Promise<void> {
      await state.create({ pk: `dead#${destination}`, sk: key }, { destination, key }, deadline);
    },
    removeDead: (item: Stored<unknown>, deadline: Deadline) => state.remove(item, deadline),

    /** Adds to the audit trail of an incident, or of what has none. Never changes what is there. */
    async audit(subject: string, entries: readonly Decision[], deadline: Deadline): Promise<void> {
      if (entries.length === 0) return;
      const now = clock.now().getTime();
      await state.create({ pk: `audit#${subject}`, sk: `${at(now)}#${random()}` }, { entries }, deadline, {
        expiresAt: new Date(now + AUDIT_DAYS * DAY),
      });
    },
    trail: (subject: string, deadline: Deadline) => state.list(`audit#${subject}`, Decisions, deadline),
    state,
  };
}
export type Store = ReturnType<typeof createStore>;

export const nameOfIncident = ({ destination, key }: IncidentId): string => `${destination}#${key}`;
