import * as z from 'zod';
import type { Deadline } from '../../runtime/deadline.ts';
import type { TicketServices } from '../create-tickets.ts';
import { authorization, basic, secretJson } from '../credentials.ts';
import type { DestinationOf } from '../destination.ts';
import { differs, digest } from '../digest.ts';
import { TicketFieldRefused, TicketRejected, TicketSystemBusy } from '../errors.ts';
import { askedMs, createHttp, Id } from '../http.ts';
import { toAdf, wordsOfAdf } from '../render/adf.ts';
import { clean, cut, titleOf } from '../render/inert.ts';
import { link, paragraph } from '../text.ts';
import type { Note, TicketChange, TicketDraft, TicketRef, TicketState, Tickets } from '../tickets.ts';
import { bodyOf, foundOr, gone, isLeftOut, SETTLE_MS, unchangeable, unlessGone, withDefaults } from './common.ts';

const TITLE_LIMIT = 255;
const BODY_LIMIT = 32_767;
const LABEL_LIMIT = 255;

/** The entity property that says whose a ticket or a comment is: copies of a ticket have its labels, and not this. */
const PROPERTY = 'atlas.bridge';

const Credentials = z.union([
  z.object({ email: z.string().min(1), apiToken: z.string().min(1) }),
  z.object({ accessToken: z.string().min(1) }),
]);

const Created = z.object({ id: Id, key: z.string() });

const Named = z.object({ name: z.string() }).nullish();
const Status = z.object({ name: z.string(), statusCategory: z.object({ key: z.string() }) });
const Issue = z.object({
  id: Id,
  key: z.string(),
  fields: z.object({
    summary: z.string().nullish(),
    description: z.unknown().optional(),
    status: Status,
    resolution: Named,
    priority: Named,
    assignee: z.object({ accountId: z.string().nullish(), displayName: z.string().nullish() }).nullish(),
    updated: z.string().nullish(),
  }),
});

const Searched = z.object({
  issues: z.array(
    z.object({
      id: Id,
      key: z.string(),
      properties: z.record(z.string(), z.unknown()).nullish(),
    }),
  ),
});

const Transitions = z.object({
  transitions: z.array(
    z.object({
      id: Id,
      name: z.string(),
      to: Status.optional(),
      fields: z
        .record(
          z.string(),
          z.looseObject({ allowedValues: z.array(z.looseObject({ name: z.string().optional() })).optional() }),
        )
        .nullish(),
    }),
  ),
});
type Transition = z.output<typeof Transitions>['transitions'][number];

const Comments = z.object({
  comments: z.array(
    z.object({ properties: z.array(z.object({ key: z.string(), value: z.unknown().optional() })).nullish() }),
  ),
});

const Refused = z.object({ errors: z.record(z.string(), z.unknown()).default({}) });

const Mark = z.object({ incident: z.string().optional(), marker: z.string().optional() });
const markOf = (value: unknown): z.output<typeof Mark> => Mark.catch({}).parse(value);

/** Transitions by these names end a ticket in ways that are people's to choose. */
const NOT_OURS = /won.?t|declin|reject|cancel|duplicat|abandon/i;

const FIELDS = 'summary,description,status,resolution,priority,assignee,updated';

/** Jira Cloud, REST v3. Source: https://developer.atlassian.com/cloud/jira/platform/rest/v3/intro/ */
export function createJira(destination: DestinationOf<'jira'>, services: TicketServices): Tickets {
  const { credentials, transport, clock } = withDefaults(services);
  const lagMs = Math.max(SETTLE_MS, destination.indexLagSeconds * 1_000);
  const optional = new Set(['priority', ...Object.keys(destination.fields)]);
  const http = createHttp({
    system: 'jira',
    baseUrl: destination.baseUrl,
    transport,
    clock,
    // Names of transitions and statuses come in the language of the account otherwise.
    headers: { 'accept-language': 'en' },
    authorize: authorization(credentials, destination.secret, (value) => {
      const held = secretJson(Credentials, destination.secret, value);
      return { authorization: 'email' in held ? basic(held.email, held.apiToken) : `Bearer ${held.accessToken}` };
    }),
    judge(reply, call, facts) {
      if (reply.status === 429) {
        const scope = reply.headers['ratelimit-reason']?.startsWith('jira-per-issue') ? 'ticket' : 'destination';
        const retryAfterMs = askedMs(reply, clock.now()) ?? (scope === 'ticket' ? 5_000 : 60_000);
        return new TicketSystemBusy(`jira limits ${call.operation}`, { ...facts, scope }, { retryAfterMs, scope });
      }
      if (reply.status !== 400 || call.operation !== 'createIssue') return undefined;
      const fields = Object.keys(Refused.catch({ errors: {} }).parse(reply.json).errors);
      if (fields.includes('project') || fields.includes('issuetype'))
        return new TicketRejected('jira knows no such project or issue type', { ...facts, fields }, 'no-such-place');
      // Without its label a ticket whose answer was lost could not be found again: nothing is opened like that.
      if (fields.includes('labels'))
        return new TicketRejected('jira takes no labels for this issue type', { ...facts, fields }, 'forbidden');
      if (fields.length > 0 && fields.every((field) => optional.has(field)))
        return new TicketFieldRefused(`jira refused ${fields.join(' and ')}`, facts, fields);
      return new TicketRejected('jira refused the issue', { ...facts, fields }, 'invalid');
    },
  });

  const urlOf = (key: string): string => `${destination.siteUrl ?? destination.baseUrl}/browse/${key}`;
  const refOf = ({ id, key }: { id: string; key: string }): TicketRef => ({
    id,
    key,
    url: urlOf(key),
    place: key.replace(/-\d+$/, ''),
  });
  const pathOf = (ref: TicketRef): string => `/rest/api/3/issue/${encodeURIComponent(ref.id)}`;
  const labelOf = (label: string): string => cut(clean(label).trim().replace(/\s+/g, '-'), LABEL_LIMIT);
  const incidentLabel = (incident: string): string => `incident-${incident}`;

  const get = (ref: TicketRef, deadline: Deadline): Promise<z.output<typeof Issue>> =>
    http.read(
      Issue,
      { operation: 'getIssue', method: 'GET', path: `${pathOf(ref)}?fields=${FIELDS}`, repeat: 'safe' },
      deadline,
    );

  async function comment(ref: TicketRef, { marker, text, repeated }: Note, deadline: Deadline): Promise<void> {
    const path = `${pathOf(ref)}/comment`;
    if (repeated) {
      const query = 'orderBy=-created&maxResults=100&expand=properties';
      const { comments } = await http.read(
        Comments,
        { operation: 'listComments', method: 'GET', path: `${path}?${query}`, repeat: 'safe' },
        deadline,
      );
      const ours = comments.flatMap(({ properties }) => properties ?? []).filter(({ key }) => key === PROPERTY);
      if (ours.some(({ value }) => markOf(value).marker === marker)) return;
    }
    const json = { body: toAdf(text, BODY_LIMIT), properties: [{ key: PROPERTY, value: { marker } }] };
    await http.send({ operation: 'addComment', method: 'POST', path, json, repeat: 'safe' }, deadline);
  }

  async function transitions(ref: TicketRef, deadline: Deadline): Promise<Transition[]> {
    const path = `${pathOf(ref)}/transitions`;
    const query = '?expand=transitions.fields';
    const call = { operation: 'listTransitions', method: 'GET', path: path + query, repeat: 'safe' } as const;
    return (await http.read(Transitions, call, deadline)).transitions;
  }

  async function transit(ref: TicketRef, { id }: Transition, fields: object, deadline: Deadline): Promise<void> {
    await http.send(
      {
        operation: 'transitionIssue',
        method: 'POST',
        path: `${pathOf(ref)}/transitions`,
        json: { transition: { id }, ...(Object.keys(fields).length > 0 && { fields }) },
        repeat: 'safe',
      },
      deadline,
    );
  }

  const named = (all: readonly Transition[], wanted: string | undefined): Transition | undefined =>
    wanted === undefined
      ? undefined
      : all.find(({ id, name }) => id === wanted || name.toLowerCase() === wanted.toLowerCase());
  const categoryOf = ({ to }: Transition): string | undefined => to?.statusCategory.key;

  return {
    traits: {
      reopens: true,
      repeatable: false,
      comments: true,
      updates: true,
      reads: true,
      indexLagMs: lagMs,
      titleLimit: TITLE_LIMIT,
      bodyLimit: BODY_LIMIT,
      // 100 POSTs a second of an endpoint and tenant; on one issue 20 writes in 2 s and 100 in 30 s.
      budget: { writesPerMinute: 600, perTicket: { writes: 15, perMs: 2_000 } },
    },

    written: ({ title, body, severity }) => ({
      ...(title !== undefined && { title: digest(titleOf(title, TITLE_LIMIT)) }),
      ...(body !== undefined && { body: digest(wordsOfAdf(toAdf(body, BODY_LIMIT))) }),
      ...(severity !== undefined && { severity: digest(destination.priorities[severity]) }),
    }),

    async open(draft: TicketDraft, deadline) {
      const follows = draft.follows ? [paragraph('Follows ', link(draft.follows.key, draft.follows.url), '.')] : [];
      const labels = [...destination.labels, ...draft.labels, 'atlas-bridge', incidentLabel(draft.incident)].map(
        labelOf,
      );
      const extra = Object.entries(destination.fields).filter(([field]) => !isLeftOut(draft, field));
      const created = await http.read(
        Created,
        {
          operation: 'createIssue',
          method: 'POST',
          path: '/rest/api/3/issue',
          json: {
            fields: {
              ...Object.fromEntries(extra),
              project: { key: destination.project },
              issuetype: { name: destination.issueType },
              summary: titleOf(draft.title, TITLE_LIMIT),
              description: toAdf([...bodyOf(draft), ...follows], BODY_LIMIT),
              labels: [...new Set(labels)].filter((label) => label !== ''),
              ...(!isLeftOut(draft, 'priority') && { priority: { name: destination.priorities[draft.severity] } }),
            },
            properties: [{ key: PROPERTY, value: { incident: draft.incident, schema: 1 } }],
          },
          repeat: 'never',
          missing: 'place',
        },
        deadline,
      );
      return refOf(created);
    },

    // By the label, which search knows without an app of its own. A copy that somebody made has the label and not our
    // property; where no property can be seen at all, the oldest is the one we made.
    async find(incident, attemptedAt, deadline) {
      const { issues } = await http.read(
        Searched,
        {
          operation: 'searchIssues',
          method: 'POST',
          path: '/rest/api/3/search/jql',
          json: {
            jql: `labels = "${incidentLabel(incident)}" ORDER BY created ASC, key ASC`,
            maxResults: 50,
            fields: ['created'],
            properties: [PROPERTY],
          },
          repeat: 'safe',
          missing: 'place',
        },
        deadline,
      );
      const ours = issues.filter(({ properties }) => markOf(properties?.[PROPERTY]).incident === incident);
      return foundOr((ours.length > 0 ? ours : issues.slice(0, 1)).map(refOf), attemptedAt, clock.now(), lagMs);
    },

    async read(ref, written, deadline): Promise<TicketState> {
      const issue = await unlessGone(() => get(ref, deadline));
      if (!issue) return gone(ref);
      const { status, resolution, assignee, priority, summary, description, updated } = issue.fields;
      const category = status.statusCategory.key;
      const closed = category === 'done';
      const who = assignee && assignee.accountId !== destination.actor ? assignee : undefined;
      const wontFix = destination.wontFixResolutions.includes(resolution?.name ?? status.name);
      return {
        ref: refOf(issue),
        status: closed ? 'closed' : 'open',
        moved: issue.key !== ref.key,
        resolution: closed ? (resolution?.name ?? status.name) : undefined,
        wontFix: closed && wontFix,
        reopenable: closed,
        acknowledged:
          (destination.takenWhen.includes('assigned') && who !== undefined) ||
          (destination.takenWhen.includes('in-progress') && category === 'indeterminate'),
        assignee: who ? (who.displayName ?? who.accountId ?? undefined) : undefined,
        edited: {
          title: differs(written.title, summary ?? ''),
          body: differs(written.body, wordsOfAdf(description)),
          severity: priority ? differs(written.severity, priority.name) : false,
        },
        version: updated ?? `${status.name} ${assignee?.accountId ?? ''}`,
      };
    },

    comment,

    async update(ref, { title, body, severity, addLabels = [] }: TicketChange, deadline) {
      await http.send(
        {
          operation: 'editIssue',
          method: 'PUT',
          path: pathOf(ref),
          json: {
            fields: {
              ...(title !== undefined && { summary: titleOf(title, TITLE_LIMIT) }),
              ...(body !== undefined && { description: toAdf(body, BODY_LIMIT) }),
              ...(severity !== undefined && { priority: { name: destination.priorities[severity] } }),
            },
            ...(addLabels.length > 0 && { update: { labels: addLabels.map((label) => ({ add: labelOf(label) })) } }),
          },
          repeat: 'safe',
        },
        deadline,
      );
    },

    async close(ref, closing, deadline) {
      await comment(ref, closing, deadline);
      if ((await get(ref, deadline)).fields.status.statusCategory.key === 'done') return;
      const all = await transitions(ref, deadline);
      const done = all.filter((transition) => categoryOf(transition) === 'done');
      const chosen =
        named(all, destination.closeTransition) ??
        done.find(({ name }) => !NOT_OURS.test(name)) ??
        done[0] ??
        all.find(({ to, name }) => !to && /^(done|close|resolve)/i.test(name));
      if (!chosen) throw unchangeable('jira', 'close', 'no transition leads to a status of category done');
      const allowed = chosen.fields?.['resolution']?.allowedValues?.flatMap(({ name }) => name ?? []) ?? [];
      const wanted = destination.resolutions[closing.resolution];
      const resolution = allowed.includes(wanted) ? wanted : allowed.find((name) => !NOT_OURS.test(name));
      await transit(ref, chosen, resolution === undefined ? {} : { resolution: { name: resolution } }, deadline);
    },

    async reopen(ref, note, deadline) {
      if ((await get(ref, deadline)).fields.status.statusCategory.key === 'done') {
        const all = await transitions(ref, deadline);
        const chosen =
          named(all, destination.reopenTransition) ??
          all.find((transition) => categoryOf(transition) === 'new') ??
          all.find((transition) => categoryOf(transition) === 'indeterminate');
        if (!chosen) throw unchangeable('jira', 'reopen', 'no transition leads to an open status');
        await transit(ref, chosen, {}, deadline);
      }
      await comment(ref, note, deadline);
    },

    // Jira makes no second link between the same two issues.
    async link(from, to, relation, note, deadline) {
      const type = { name: relation === 'duplicates' ? 'Duplicate' : 'Relates' };
      const json = { type, inwardIssue: { key: from.key }, outwardIssue: { key: to.key } };
      const call = {
        operation: 'linkIssues',
        method: 'POST',
        path: '/rest/api/3/issueLink',
        json,
        repeat: 'safe',
      } as const;
      await http.send(call, deadline);
      if (note.text.length > 0) await comment(from, note, deadline);
    },
  };
}
