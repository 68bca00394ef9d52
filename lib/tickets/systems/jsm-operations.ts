import * as z from 'zod';
import type { Deadline } from '../../runtime/deadline.ts';
import type { TicketServices } from '../create-tickets.ts';
import { authorization, basic, secretJson, secretText } from '../credentials.ts';
import type { DestinationOf } from '../destination.ts';
import { differs, digest } from '../digest.ts';
import { TicketFieldRefused, TicketRejected, TicketSystemBusy } from '../errors.ts';
import { askedMs, createHttp } from '../http.ts';
import { clean, cut, titleOf } from '../render/inert.ts';
import { toPlain } from '../render/plain.ts';
import { paragraph } from '../text.ts';
import type { Note, TicketDraft, TicketRef, TicketState, Tickets } from '../tickets.ts';
import { bodyOf, gone, isLeftOut, unchangeable, unlessGone, unread, withDefaults } from './common.ts';

const TITLE_LIMIT = 130;
const BODY_LIMIT = 15_000;
const NOTE_LIMIT = 25_000;
const TAG_LIMIT = 50;

const Credentials = z.object({ email: z.string().min(1), apiToken: z.string().min(1) });
const Accepted = z.object({ requestId: z.string() });
const Processed = z.object({
  data: z.object({
    success: z.boolean().optional(),
    isSuccess: z.boolean().optional(),
    status: z.string().nullish(),
    alertId: z.string().nullish(),
  }),
});
const Alert = z.object({
  id: z.string(),
  tinyId: z.string().nullish(),
  alias: z.string().nullish(),
  message: z.string().nullish(),
  description: z.string().nullish(),
  priority: z.string().nullish(),
  status: z.string(),
  acknowledged: z.boolean().nullish(),
  owner: z.string().nullish(),
  updatedAt: z.union([z.string(), z.number()]).nullish(),
});
type Alert = z.output<typeof Alert>;
const Refused = z.object({ message: z.string().default(''), errors: z.record(z.string(), z.unknown()).default({}) });

/**
 * Alerts of Jira Service Management Operations, and of Opsgenie, whose API it took over. Requests are queued: 202 says
 * that one was understood.
 * Source: https://developer.atlassian.com/cloud/jira/service-desk-ops/rest/v2/api-group-integration-events/
 */
export function createJsmOperations(destination: DestinationOf<'jsm-operations'>, services: TicketServices): Tickets {
  const { credentials, transport, clock } = withDefaults(services);
  const { rest } = destination;
  const http = createHttp({
    system: 'jsm-operations',
    baseUrl: destination.baseUrl,
    transport,
    clock,
    authorize: authorization(credentials, destination.secret, (value) => ({
      authorization: `GenieKey ${secretText(destination.secret, value)}`,
    })),
    judge(reply, call, facts) {
      if (reply.status === 429) {
        const period = Number(reply.headers['x-ratelimit-period-in-sec']) * 1_000;
        const retryAfterMs = askedMs(reply, clock.now()) ?? (period > 0 ? period : 60_000);
        return new TicketSystemBusy(`jsm-operations limits ${call.operation}`, facts, { retryAfterMs });
      }
      if (reply.status === 403 && /key/i.test(Refused.catch({ message: '', errors: {} }).parse(reply.json).message))
        return new TicketRejected('jsm-operations refused the key', facts, 'credentials');
      if (reply.status !== 422 || call.operation !== 'createAlert') return undefined;
      const { message, errors } = Refused.catch({ message: '', errors: {} }).parse(reply.json);
      const refused = ['responders', 'tags', 'priority'].filter((field) => field in errors || message.includes(field));
      return refused.length > 0
        ? new TicketFieldRefused(`jsm-operations refused ${refused.join(' and ')}`, facts, refused)
        : undefined;
    },
  });
  const api =
    rest &&
    createHttp({
      system: 'jsm-operations',
      baseUrl: rest.baseUrl,
      transport,
      clock,
      authorize: authorization(credentials, rest.secret, (value) => {
        const { email, apiToken } = secretJson(Credentials, rest.secret, value);
        return { authorization: basic(email, apiToken) };
      }),
    });

  const refOf = (alias: string, alert?: Pick<Alert, 'id' | 'tinyId'>): TicketRef => ({
    id: alias,
    key: alert?.tinyId ? `#${alert.tinyId}` : alias,
    url: '',
    place: destination.secret,
  });
  const aliasPath = (ref: TicketRef, verb: string): string =>
    `/v2/alerts/${encodeURIComponent(ref.id)}/${verb}?identifierType=alias`;

  /** The latest alert of an alias, where we may read. */
  async function alertOf(alias: string, deadline: Deadline): Promise<Alert | undefined> {
    if (!api) return undefined;
    const path = `/v1/alerts/alias?alias=${encodeURIComponent(alias)}`;
    const call = { operation: 'getAlertByAlias', method: 'GET', path, repeat: 'safe' } as const;
    const alert = await unlessGone(() => api.read(Alert, call, deadline));
    return alert?.alias === alias ? alert : undefined;
  }

  /** Whether a queued request was carried out; undefined while it waits or where nobody knows it. */
  async function outcome(requestId: string, deadline: Deadline): Promise<boolean | undefined> {
    const path = `/v2/alerts/requests/${encodeURIComponent(requestId)}`;
    const call = { operation: 'getRequest', method: 'GET', path, repeat: 'safe' } as const;
    const answer = await unlessGone(() => http.read(Processed, call, deadline)).catch(() => undefined);
    return answer?.data.isSuccess ?? answer?.data.success;
  }

  async function comment(ref: TicketRef, { marker, text, repeated }: Note, deadline: Deadline): Promise<void> {
    if (repeated) {
      const alert = await alertOf(ref.id, deadline);
      // What can't be looked for is not said twice: a note is worth less than silence about a storm of them.
      if (!api || !alert) return;
      const path = `/v1/alerts/${encodeURIComponent(alert.id)}/notes?size=100&order=desc`;
      const Notes = z.object({ values: z.array(z.object({ note: z.string().nullish() })).default([]) });
      const call = { operation: 'listNotes', method: 'GET', path, repeat: 'safe' } as const;
      const { values } = await api.read(Notes, call, deadline);
      if (values.some(({ note }) => note?.endsWith(`(action ${marker})`))) return;
    }
    const note = `${toPlain(text, NOTE_LIMIT - 100)}\n\n(action ${marker})`;
    await act(ref, 'notes', { note }, deadline);
  }

  async function act(ref: TicketRef, verb: string, json: object, deadline: Deadline): Promise<void> {
    const call = {
      operation: `${verb}Alert`,
      method: 'POST',
      path: aliasPath(ref, verb),
      json: { source: 'atlas-automation', ...json },
      repeat: 'safe',
    } as const;
    await http.send(call, deadline);
  }

  return {
    traits: {
      reopens: false,
      repeatable: true,
      comments: true,
      updates: api !== undefined,
      reads: api !== undefined,
      indexLagMs: 0,
      titleLimit: TITLE_LIMIT,
      bodyLimit: BODY_LIMIT,
      budget: { writesPerMinute: 60 },
    },

    written: ({ title, body, severity }) => ({
      ...(title !== undefined && { title: digest(titleOf(title, TITLE_LIMIT)) }),
      ...(body !== undefined && { body: digest(toPlain(body, BODY_LIMIT)) }),
      ...(severity !== undefined && { severity: digest(destination.priorities[severity]) }),
    }),

    async open(draft: TicketDraft, deadline) {
      const tags = [...destination.labels, ...draft.labels].map((label) => cut(clean(label).trim(), TAG_LIMIT));
      const { requestId } = await http.read(
        Accepted,
        {
          operation: 'createAlert',
          method: 'POST',
          path: '/v2/alerts',
          json: {
            message: titleOf(draft.title, TITLE_LIMIT),
            alias: draft.incident,
            description: toPlain(bodyOf(draft), BODY_LIMIT),
            ...(!isLeftOut(draft, 'priority') && { priority: destination.priorities[draft.severity] }),
            source: 'mongodb-atlas',
            ...(!isLeftOut(draft, 'tags') && { tags: [...new Set(tags)].filter((tag) => tag !== '').slice(0, 20) }),
            ...(!isLeftOut(draft, 'responders') &&
              destination.responders.length > 0 && { responders: destination.responders }),
            details: { incident: draft.incident, ...(draft.follows && { follows: draft.follows.key }) },
          },
          repeat: 'never',
          missing: 'place',
        },
        deadline,
      );
      // A refusal that comes after the 202 is of the request, and the draft is at fault.
      if ((await outcome(requestId, deadline)) === false) {
        throw new TicketFieldRefused(
          'jsm-operations took the alert and then refused it',
          { system: 'jsm-operations', operation: 'createAlert' },
          ['responders', 'tags'],
        );
      }
      return refOf(draft.incident);
    },

    /** A second alert with the same alias only counts up the open one. */
    async find(incident, _, deadline) {
      const alert = await alertOf(incident, deadline);
      return alert ? { kind: 'found', tickets: [refOf(incident, alert)] } : { kind: 'absent' };
    },

    async read(ref, written, deadline): Promise<TicketState> {
      if (!api) return unread(ref, false);
      const alert = await alertOf(ref.id, deadline);
      if (!alert) return gone(ref);
      const closed = alert.status === 'closed';
      return {
        ref: refOf(ref.id, alert),
        status: closed ? 'closed' : 'open',
        moved: false,
        resolution: closed ? 'closed' : undefined,
        wontFix: false,
        reopenable: false,
        acknowledged: alert.acknowledged === true || (!closed && alert.status === 'acked'),
        assignee: alert.owner || undefined,
        edited: {
          title: differs(written.title, alert.message ?? ''),
          body: differs(written.body, alert.description ?? ''),
          severity: differs(written.severity, alert.priority ?? ''),
        },
        version: String(alert.updatedAt ?? alert.status),
      };
    },

    comment,

    async update(ref, { title, body, severity }, deadline) {
      const alert = await alertOf(ref.id, deadline);
      if (!api || !alert) return;
      const put = async (field: string, json: object): Promise<void> => {
        const path = `/v1/alerts/${encodeURIComponent(alert.id)}/${field}`;
        await api.send({ operation: `${field}OfAlert`, method: 'PATCH', path, json, repeat: 'safe' }, deadline);
      };
      if (title !== undefined) await put('message', { message: titleOf(title, TITLE_LIMIT) });
      if (body !== undefined) await put('description', { description: toPlain(body, BODY_LIMIT) });
      if (severity !== undefined) await put('priority', { priority: destination.priorities[severity] });
    },

    async close(ref, closing, deadline) {
      await act(ref, 'close', { note: toPlain(closing.text, NOTE_LIMIT) }, deadline);
    },

    async reopen() {
      throw unchangeable('jsm-operations', 'reopen', 'a closed alias begins a new alert');
    },

    async acknowledge(ref, note, deadline) {
      await act(ref, 'acknowledge', { note: toPlain(note.text, NOTE_LIMIT) }, deadline);
    },

    async link(from, to, relation, note, deadline) {
      const words = { duplicates: 'Duplicate of', follows: 'Follows', relates: 'See also' }[relation];
      await comment(from, { ...note, text: [paragraph(`${words} ${to.key}.`), ...note.text] }, deadline);
    },
  };
}
