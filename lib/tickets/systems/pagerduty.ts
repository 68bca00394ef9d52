import * as z from 'zod';
import type { Deadline } from '../../runtime/deadline.ts';
import type { TicketServices } from '../create-tickets.ts';
import { authorization, secretText } from '../credentials.ts';
import type { DestinationOf } from '../destination.ts';
import { differs, digest } from '../digest.ts';
import { TicketRejected } from '../errors.ts';
import { createHttp, type Reply } from '../http.ts';
import { clean, titleOf } from '../render/inert.ts';
import { toPlain } from '../render/plain.ts';
import { paragraph } from '../text.ts';
import type { Note, TicketDraft, TicketRef, TicketState, Tickets } from '../tickets.ts';
import { unchangeable, unread, withDefaults } from './common.ts';

const TITLE_LIMIT = 1_024;
/** An event holds 512 KB. */
const BODY_LIMIT = 100_000;
const NOTE_LIMIT = 25_000;

/** The Events API's status for everything it does not take; an unknown routing key can be told by the words alone. */
const REFUSED = 400;
const Refused = z.object({ errors: z.array(z.string()) });
const refusesKey = (json: unknown): boolean =>
  Refused.safeParse(json).data?.errors.some((error) => /routing_key|integration key/i.test(error)) === true;

const Incident = z.object({
  id: z.string(),
  incident_number: z.int().optional(),
  incident_key: z.string().nullish(),
  title: z.string().nullish(),
  status: z.string(),
  html_url: z.string().nullish(),
  last_status_change_at: z.string().nullish(),
  updated_at: z.string().nullish(),
  resolve_reason: z.unknown().optional(),
  assignments: z.array(z.object({ assignee: z.object({ summary: z.string().nullish() }) })).default([]),
  acknowledgements: z.array(z.object({ acknowledger: z.object({ summary: z.string().nullish() }) })).default([]),
});
type Incident = z.output<typeof Incident>;

/** An incident that was merged into another one is resolved, and says where it went. */
const Merged = z.object({ type: z.literal('merge_resolve_reason'), incident: z.object({ id: z.string() }) });

/**
 * PagerDuty's Events API v2, and its REST API where there is a token. Events are queued: a ticket is an incident only
 * later, and ends with its dedup_key.
 * Source: https://developer.pagerduty.com/docs/send-alert-event
 */
export function createPagerDuty(destination: DestinationOf<'pagerduty'>, services: TicketServices): Tickets {
  const { credentials, transport, clock } = withDefaults(services);
  const { rest } = destination;
  const keys = new Map<string, ReturnType<typeof authorization>>();
  const events = createHttp({
    system: 'pagerduty',
    baseUrl: destination.baseUrl,
    transport,
    clock,
    // The routing key in the body is all there is.
    authorize: async () => ({}),
  });
  const api =
    rest &&
    createHttp({
      system: 'pagerduty',
      baseUrl: rest.baseUrl,
      transport,
      clock,
      headers: { accept: 'application/vnd.pagerduty+json;version=2', from: rest.from },
      authorize: authorization(credentials, rest.secret, (value) => ({
        authorization: `Token token=${secretText(rest.secret, value)}`,
      })),
    });

  /** An event through another routing key than the one that opened is dropped: each ticket keeps its own. */
  async function routingKey(secret: string, deadline: Deadline, again: boolean): Promise<string> {
    let read = keys.get(secret);
    if (!read) {
      read = authorization(credentials, secret, (value) => ({ key: secretText(secret, value) }));
      keys.set(secret, read);
    }
    return (await read(deadline, again))['key'] ?? '';
  }

  async function enqueue(
    event: { readonly event_action: 'trigger' | 'acknowledge' | 'resolve' } & Readonly<Record<string, unknown>>,
    secret: string,
    deadline: Deadline,
  ): Promise<void> {
    const operation = `${event.event_action}Event`;
    const send = async (again: boolean): Promise<Reply> =>
      events.send(
        {
          operation,
          method: 'POST',
          path: '/v2/enqueue',
          json: { routing_key: await routingKey(secret, deadline, again), ...event },
          repeat: event.event_action === 'trigger' ? 'never' : 'safe',
          missing: 'place',
          // The proof is in the body, so that it is here that it is read anew.
          expects: [REFUSED, 401],
        },
        deadline,
      );
    const isRefused = ({ status, json }: Reply): boolean => status === 401 || refusesKey(json);
    const reply = await send(false);
    const last = isRefused(reply) ? await send(true) : reply;
    if (last.status < 300) return;
    const facts = { system: 'pagerduty', operation, status: last.status };
    throw new TicketRejected(`pagerduty refused ${operation}`, facts, isRefused(last) ? 'credentials' : 'invalid');
  }

  /** The latest incident of a dedup_key. */
  async function incidentOf(key: string, deadline: Deadline): Promise<Incident | undefined> {
    if (!api) return undefined;
    const path = `/incidents?incident_key=${encodeURIComponent(key)}&date_range=all&sort_by=created_at:desc&limit=25`;
    const Incidents = z.object({ incidents: z.array(Incident) });
    const call = { operation: 'listIncidents', method: 'GET', path, repeat: 'safe', missing: 'place' } as const;
    const { incidents } = await api.read(Incidents, call, deadline);
    return incidents.find(({ incident_key }) => incident_key === key);
  }

  const refOf = (incident: Incident, ref: TicketRef): TicketRef => ({
    ...ref,
    key: incident.incident_number === undefined ? ref.key : `#${incident.incident_number}`,
    url: incident.html_url ?? ref.url,
  });

  async function comment(ref: TicketRef, { marker, text, repeated }: Note, deadline: Deadline): Promise<void> {
    const incident = await incidentOf(ref.id, deadline);
    if (!api || !incident) return;
    const path = `/incidents/${encodeURIComponent(incident.id)}/notes`;
    if (repeated) {
      const Notes = z.object({ notes: z.array(z.object({ content: z.string().nullish() })) });
      const call = { operation: 'listNotes', method: 'GET', path, repeat: 'safe' } as const;
      const { notes } = await api.read(Notes, call, deadline);
      if (notes.some(({ content }) => content?.endsWith(`(action ${marker})`))) return;
    }
    const json = { note: { content: `${toPlain(text, NOTE_LIMIT - 100)}\n\n(action ${marker})` } };
    await api.send({ operation: 'createNote', method: 'POST', path, json, repeat: 'safe' }, deadline);
  }

  const placeOf = (ref: TicketRef): string => ref.place ?? destination.secret;

  return {
    traits: {
      reopens: false,
      repeatable: true,
      comments: api !== undefined,
      updates: api !== undefined,
      reads: api !== undefined,
      indexLagMs: 0,
      titleLimit: TITLE_LIMIT,
      bodyLimit: BODY_LIMIT,
      // About 120 events a minute and integration.
      budget: { writesPerMinute: 100 },
    },

    written: ({ title }) => (title === undefined ? {} : { title: digest(titleOf(title, TITLE_LIMIT)) }),

    async open(draft: TicketDraft, deadline) {
      const { links = [] } = draft;
      await enqueue(
        {
          event_action: 'trigger',
          dedup_key: draft.incident,
          client: 'Atlas Automation',
          links: links.map(({ title, url }) => ({ href: url, text: clean(title) })),
          payload: {
            summary: titleOf(draft.title, TITLE_LIMIT),
            source: 'mongodb-atlas',
            severity: draft.severity,
            timestamp: clock.now().toISOString(),
            custom_details: {
              description: toPlain(draft.body, BODY_LIMIT),
              incident: draft.incident,
              ...(draft.labels.length > 0 && { labels: draft.labels.map(clean).join(', ') }),
              ...(draft.follows && { follows: draft.follows.key }),
            },
          },
        },
        destination.secret,
        deadline,
      );
      return { id: draft.incident, key: draft.incident, url: '', place: destination.secret };
    },

    /** A second trigger with the same key joins the open alert. */
    async find(incident, _, deadline) {
      const there = await incidentOf(incident, deadline);
      if (!there) return { kind: 'absent' };
      const ref = { id: incident, key: incident, url: '', place: destination.secret };
      return { kind: 'found', tickets: [refOf(there, ref)] };
    },

    async read(ref, written, deadline): Promise<TicketState> {
      const incident = await incidentOf(ref.id, deadline);
      // Events are queued, and rules may keep them from becoming incidents: not there is not gone.
      if (!incident) return unread(ref, false);
      const merged = Merged.safeParse(incident.resolve_reason);
      const who = incident.acknowledgements.at(-1)?.acknowledger.summary;
      const closed = incident.status === 'resolved';
      return {
        ref: refOf(incident, ref),
        status: closed ? 'closed' : 'open',
        moved: merged.success,
        resolution: closed ? (merged.success ? 'merged' : 'resolved') : undefined,
        wontFix: false,
        reopenable: false,
        // Everybody on call is assigned; only an acknowledgement says that somebody has it.
        acknowledged: incident.status === 'acknowledged',
        assignee: who ?? undefined,
        edited: { title: differs(written.title, incident.title ?? ''), body: false, severity: false },
        version: `${incident.status} ${incident.updated_at ?? incident.last_status_change_at ?? ''}`,
      };
    },

    comment,

    async update(ref, { title }, deadline) {
      const incident = await incidentOf(ref.id, deadline);
      if (!api || !incident || title === undefined) return;
      const path = `/incidents/${encodeURIComponent(incident.id)}`;
      const json = { incident: { type: 'incident_reference', title: titleOf(title, TITLE_LIMIT) } };
      await api.send({ operation: 'updateIncident', method: 'PUT', path, json, repeat: 'safe' }, deadline);
    },

    async close(ref, closing, deadline) {
      if (closing.text.length > 0) await comment(ref, closing, deadline);
      await enqueue({ event_action: 'resolve', dedup_key: ref.id }, placeOf(ref), deadline);
    },

    async reopen() {
      throw unchangeable('pagerduty', 'reopen', 'a resolved dedup_key begins a new incident');
    },

    async acknowledge(ref, note, deadline) {
      await enqueue({ event_action: 'acknowledge', dedup_key: ref.id }, placeOf(ref), deadline);
      if (note.text.length > 0) await comment(ref, note, deadline);
    },

    async link(from, to, relation, note, deadline) {
      const words = { duplicates: 'Duplicate of', follows: 'Follows', relates: 'See also' }[relation];
      await comment(from, { ...note, text: [paragraph(`${words} ${to.key}.`), ...note.text] }, deadline);
    },
  };
}
