import * as z from 'zod';
import type { Deadline } from '../../runtime/deadline.ts';
import type { TicketServices } from '../create-tickets.ts';
import { authorization, basic, secretJson } from '../credentials.ts';
import type { DestinationOf } from '../destination.ts';
import { differs, digest } from '../digest.ts';
import { TicketFieldRefused, TicketRejected, TicketSystemBusy } from '../errors.ts';
import { askedMs, createHttp } from '../http.ts';
import { titleOf } from '../render/inert.ts';
import { toPlain } from '../render/plain.ts';
import { link, paragraph, type Text } from '../text.ts';
import type { Note, TicketChange, TicketDraft, TicketRef, TicketState, Tickets } from '../tickets.ts';
import { bodyOf, foundOr, gone, isLeftOut, SETTLE_MS, unchangeable, unlessGone, withDefaults } from './common.ts';

const TITLE_LIMIT = 160;
const BODY_LIMIT = 4_000;

const Credentials = z.union([
  z.object({ username: z.string().min(1), password: z.string().min(1) }),
  z.object({ accessToken: z.string().min(1) }),
  z.object({ apiKey: z.string().min(1) }),
]);

/** Everything is text in ServiceNow; gateways in front of it may make numbers of some. */
const Words = z
  .union([z.string(), z.number(), z.boolean()])
  .nullish()
  .transform((value) => (value === null || value === undefined ? value : String(value)));
const Row = z.object({ sys_id: z.string(), number: Words, correlation_id: Words, sys_created_on: Words });
const One = z.object({ result: Row });
const Rows = z.object({ result: z.array(Row) });

/** A field with both faces; those we may not see come as the empty string. */
const Both = z.union([z.object({ value: Words, display_value: Words }), Words]).transform((field) => {
  const both = typeof field === 'object' && field !== null ? field : { value: field, display_value: field };
  return { value: both.value ?? '', shown: both.display_value ?? '' };
});
const Incident = z.object({
  result: z.object({
    sys_id: Both,
    number: Both,
    correlation_id: Both,
    state: Both,
    short_description: Both,
    description: Both,
    urgency: Both,
    impact: Both,
    assigned_to: Both,
    close_code: Both,
    sys_mod_count: Both,
    sys_updated_on: Both,
  }),
});

const Refused = z.object({ error: z.object({ message: z.string().nullish(), detail: z.string().nullish() }) });

const FIELDS =
  'sys_id,number,correlation_id,state,short_description,description,urgency,impact,assigned_to,close_code,sys_mod_count,sys_updated_on';

/** ServiceNow's Table API. Source: https://www.servicenow.com/docs/r/api-reference/rest-apis/c_TableAPI.html */
export function createServiceNow(destination: DestinationOf<'servicenow'>, services: TicketServices): Tickets {
  const { credentials, transport, clock } = withDefaults(services);
  const { states } = destination;
  const table = `/api/now/v2/table/${destination.table}`;
  const optional = new Set(['assignment_group', ...Object.keys(destination.fields)]);
  const http = createHttp({
    system: 'servicenow',
    baseUrl: destination.baseUrl,
    transport,
    clock,
    authorize: authorization(credentials, destination.secret, (value): Record<string, string> => {
      const held = secretJson(Credentials, destination.secret, value);
      if ('apiKey' in held) return { 'x-sn-apikey': held.apiKey };
      return { authorization: 'username' in held ? basic(held.username, held.password) : `Bearer ${held.accessToken}` };
    }),
    judge(reply, call, facts) {
      if (reply.status === 429) {
        const reset = Number(reply.headers['x-ratelimit-reset']) * 1_000 - clock.now().getTime();
        const retryAfterMs = askedMs(reply, clock.now()) ?? (reset > 0 ? reset : 60_000);
        return new TicketSystemBusy(`servicenow limits ${call.operation}`, facts, { retryAfterMs });
      }
      if (reply.status !== 400 && reply.status !== 403) return undefined;
      const { error } = Refused.catch({ error: { message: '', detail: '' } }).parse(reply.json);
      const said = `${error.message ?? ''} ${error.detail ?? ''}`;
      if (reply.status === 400 && /invalid table/i.test(said))
        return new TicketRejected('servicenow knows no such table', facts, 'no-such-place');
      const fields = [...optional].filter((field) => said.includes(field));
      return call.operation === 'createRecord' && fields.length > 0
        ? new TicketFieldRefused(`servicenow refused ${fields.join(' and ')}`, facts, fields)
        : undefined;
    },
  });

  const refOf = ({ sys_id, number }: { sys_id: string; number?: string | null | undefined }): TicketRef => ({
    id: sys_id,
    key: number || sys_id,
    url: `${destination.baseUrl}/nav_to.do?uri=${encodeURIComponent(`${destination.table}.do?sys_id=${sys_id}`)}`,
    place: destination.table,
  });

  async function get(ref: TicketRef, deadline: Deadline) {
    const query = new URLSearchParams({ sysparm_fields: FIELDS, sysparm_display_value: 'all' });
    const path = `${table}/${encodeURIComponent(ref.id)}?${query}`;
    const { result } = await http.read(
      Incident,
      { operation: 'getRecord', method: 'GET', path, repeat: 'safe' },
      deadline,
    );
    return result;
  }

  async function patch(ref: TicketRef, json: object, deadline: Deadline): Promise<void> {
    const path = `${table}/${encodeURIComponent(ref.id)}?sysparm_fields=sys_id`;
    await http.send({ operation: 'updateRecord', method: 'PATCH', path, json, repeat: 'safe' }, deadline);
  }

  const noteOf = ({ text, marker }: Pick<Note, 'text' | 'marker'>): string =>
    `${toPlain(text, BODY_LIMIT - 100)}\n\n(action ${marker})`;

  async function isThere(ref: TicketRef, marker: string, deadline: Deadline): Promise<boolean> {
    const query = new URLSearchParams({
      sysparm_query: `element_id=${ref.id}^element=work_notes^valueLIKE${marker}`,
      sysparm_fields: 'element_id,value',
      sysparm_limit: '50',
    });
    const Journal = z.object({ result: z.array(z.object({ element_id: Words, value: Words })) });
    const { result } = await http.read(
      Journal,
      { operation: 'listNotes', method: 'GET', path: `/api/now/v2/table/sys_journal_field?${query}`, repeat: 'safe' },
      deadline,
    );
    // A part of a query that is not understood is left out of it: only what we see counts.
    return result.some(({ element_id, value }) => element_id === ref.id && value?.includes(`(action ${marker})`));
  }

  const comment = async (ref: TicketRef, note: Note, deadline: Deadline): Promise<void> => {
    if (note.repeated && (await isThere(ref, note.marker, deadline))) return;
    await patch(ref, { work_notes: noteOf(note) }, deadline);
  };

  const described = (body: Text): string => toPlain(body, BODY_LIMIT);

  return {
    traits: {
      reopens: true,
      repeatable: false,
      comments: true,
      updates: true,
      reads: true,
      indexLagMs: SETTLE_MS,
      titleLimit: TITLE_LIMIT,
      bodyLimit: BODY_LIMIT,
      // Each instance has its own rules, by the hour; the documentation's examples start at 100.
      budget: { writesPerMinute: 60, writesPerHour: 450 },
    },

    written: ({ title, body, severity }) => ({
      ...(title !== undefined && { title: digest(titleOf(title, TITLE_LIMIT)) }),
      ...(body !== undefined && { body: digest(described(body)) }),
      ...(severity !== undefined && {
        severity: digest(`${destination.urgencies[severity]} ${destination.impacts[severity]}`),
      }),
    }),

    async open(draft: TicketDraft, deadline) {
      const follows = draft.follows ? [paragraph('Follows ', link(draft.follows.key, draft.follows.url), '.')] : [];
      const extra = Object.entries(destination.fields).filter(([field]) => !isLeftOut(draft, field));
      const { assignmentGroup } = destination;
      const query = 'sysparm_fields=sys_id,number,correlation_id,sys_created_on&sysparm_exclude_reference_link=true';
      const { result } = await http.read(
        One,
        {
          operation: 'createRecord',
          method: 'POST',
          path: `${table}?${query}`,
          json: {
            ...Object.fromEntries(extra),
            short_description: titleOf(draft.title, TITLE_LIMIT),
            description: described([...bodyOf(draft), ...follows]),
            urgency: destination.urgencies[draft.severity],
            impact: destination.impacts[draft.severity],
            ...(assignmentGroup !== undefined &&
              !isLeftOut(draft, 'assignment_group') && { assignment_group: assignmentGroup }),
            correlation_id: draft.incident,
            correlation_display: 'mongodb-atlas',
          },
          repeat: 'never',
          missing: 'place',
        },
        deadline,
      );
      return refOf(result);
    },

    async find(incident, attemptedAt, deadline) {
      const query = new URLSearchParams({
        sysparm_query: `correlation_id=${incident}^ORDERBYsys_created_on`,
        sysparm_fields: 'sys_id,number,correlation_id,sys_created_on',
        sysparm_exclude_reference_link: 'true',
        sysparm_limit: '20',
      });
      const { result } = await http.read(
        Rows,
        { operation: 'findRecords', method: 'GET', path: `${table}?${query}`, repeat: 'safe', missing: 'place' },
        deadline,
      );
      const ours = result.filter(({ correlation_id }) => correlation_id === incident);
      if (ours.length < result.length) {
        // The condition was left out of the query, so that nothing it answers says whether there is a ticket.
        throw new TicketRejected(
          'servicenow does not let these credentials look for correlation_id',
          { system: 'servicenow', operation: 'findRecords' },
          'forbidden',
        );
      }
      return foundOr(ours.map(refOf), attemptedAt, clock.now(), SETTLE_MS);
    },

    async read(ref, written, deadline): Promise<TicketState> {
      const incident = await unlessGone(() => get(ref, deadline));
      if (!incident) return gone(ref);
      const state = incident.state.value;
      const closed = [states.resolved, states.closed, states.cancelled].includes(state);
      return {
        ref: refOf({ sys_id: incident.sys_id.value || ref.id, number: incident.number.value || ref.key }),
        status: closed ? 'closed' : 'open',
        moved: false,
        resolution: closed ? incident.close_code.shown || incident.state.shown : undefined,
        wontFix:
          state === states.cancelled || (closed && destination.wontFixCloseCodes.includes(incident.close_code.value)),
        reopenable: state === states.resolved,
        // Not by the state: `reopen` sets that itself.
        acknowledged: incident.assigned_to.value !== '' && incident.assigned_to.value !== destination.actor,
        assignee: incident.assigned_to.shown || undefined,
        edited: {
          title: differs(written.title, incident.short_description.value),
          body: differs(written.body, incident.description.value),
          severity: differs(written.severity, `${incident.urgency.value} ${incident.impact.value}`),
        },
        version: `${incident.sys_mod_count.value} ${incident.sys_updated_on.value}`,
      };
    },

    comment,

    async update(ref, { title, body, severity }: TicketChange, deadline) {
      await patch(
        ref,
        {
          ...(title !== undefined && { short_description: titleOf(title, TITLE_LIMIT) }),
          ...(body !== undefined && { description: described(body) }),
          ...(severity !== undefined && {
            urgency: destination.urgencies[severity],
            impact: destination.impacts[severity],
          }),
        },
        deadline,
      );
    },

    async close(ref, closing, deadline) {
      const { value } = (await get(ref, deadline)).state;
      if ([states.resolved, states.closed, states.cancelled].includes(value)) return comment(ref, closing, deadline);
      const said = closing.repeated && (await isThere(ref, closing.marker, deadline));
      await patch(
        ref,
        {
          state: states.resolved,
          close_code: destination.closeCode,
          close_notes: toPlain(closing.text, BODY_LIMIT) || 'Resolved.',
          ...(!said && { work_notes: noteOf(closing) }),
        },
        deadline,
      );
    },

    async reopen(ref, note, deadline) {
      const { value } = (await get(ref, deadline)).state;
      if (value === states.closed || value === states.cancelled)
        throw unchangeable('servicenow', 'reopen', 'the record is closed for good');
      const said = note.repeated && (await isThere(ref, note.marker, deadline));
      await patch(
        ref,
        { ...(value === states.resolved && { state: states.inProgress }), ...(!said && { work_notes: noteOf(note) }) },
        deadline,
      );
    },

    async link(from, to, relation, note, deadline) {
      if (relation === 'duplicates' && destination.table === 'incident')
        await patch(from, { parent_incident: to.id }, deadline);
      const words = { duplicates: 'Duplicate of ', follows: 'Follows ', relates: 'See also ' }[relation];
      await comment(from, { ...note, text: [paragraph(words, link(to.key, to.url), '.'), ...note.text] }, deadline);
    },
  };
}
