import * as z from 'zod';
import type { Deadline } from '../../runtime/deadline.ts';
import type { TicketServices } from '../create-tickets.ts';
import { authorization, secretText } from '../credentials.ts';
import type { DestinationOf } from '../destination.ts';
import { differs, digest } from '../digest.ts';
import { TicketFieldRefused, TicketSystemBusy } from '../errors.ts';
import { askedMs, createHttp, Id } from '../http.ts';
import { clean, cut, titleOf } from '../render/inert.ts';
import { toMarkdown } from '../render/markdown.ts';
import { link, paragraph, type Text } from '../text.ts';
import {
  type Note,
  severities,
  type TicketChange,
  type TicketDraft,
  type TicketRef,
  type TicketState,
  type Tickets,
} from '../tickets.ts';
import { bodyOf, foundOr, gone, isLeftOut, SETTLE_MS, tooMany, unlessGone, withDefaults } from './common.ts';

const TITLE_LIMIT = 256;
const BODY_LIMIT = 65_536;
/** Left for the marker at the end of a body. */
const MARKER_ROOM = 200;
const LABEL_LIMIT = 50;
const PAGE = 100;
/** A look-up reads this many pages at most; more issues than that were not made in a few minutes. */
const MOST_PAGES = 30;

const Issue = z.object({
  id: Id,
  number: z.int(),
  html_url: z.string(),
  state: z.string(),
  state_reason: z.string().nullish(),
  title: z.string(),
  body: z.string().nullish(),
  locked: z.boolean().optional(),
  updated_at: z.string().nullish(),
  repository_url: z.string().optional(),
  assignees: z.array(z.object({ login: z.string() })).nullish(),
  labels: z.array(z.union([z.string(), z.object({ name: z.string().nullish() })])).default([]),
  user: z.object({ login: z.string() }).nullish(),
  pull_request: z.unknown().optional(),
});
type Issue = z.output<typeof Issue>;

const Refused = z.object({
  message: z.string().default(''),
  errors: z.array(z.looseObject({ field: z.string().optional() })).default([]),
});

/** Ends every body we write. Alert text can't hold one: its `<` are escaped. */
const incidentComment = (incident: string): string => `<!-- atlas-incident: ${incident} -->`;
const actionComment = (marker: string): string => `<!-- atlas-action: ${marker} -->`;

/** GitHub Issues. Source: https://docs.github.com/en/rest/issues/issues?apiVersion=2022-11-28 */
export function createGitHub(destination: DestinationOf<'github'>, services: TicketServices): Tickets {
  const { credentials, transport, clock } = withDefaults(services);
  const http = createHttp({
    system: 'github',
    baseUrl: destination.baseUrl,
    transport,
    clock,
    headers: { accept: 'application/vnd.github+json', 'x-github-api-version': '2022-11-28' },
    authorize: authorization(credentials, destination.secret, (value) => ({
      authorization: `Bearer ${secretText(destination.secret, value)}`,
    })),
    judge(reply, call, facts) {
      if (reply.status !== 403 && reply.status !== 429 && reply.status !== 422) return undefined;
      const { message, errors } = Refused.catch({ message: '', errors: [] }).parse(reply.json);
      if (reply.status === 422) {
        const fields = errors.flatMap(({ field }) => (field === 'labels' || field === 'assignees' ? [field] : []));
        return call.missing === 'place' && fields.length > 0
          ? new TicketFieldRefused(`github refused ${fields.join(' and ')}`, facts, fields)
          : undefined;
      }
      const spent = reply.headers['x-ratelimit-remaining'] === '0';
      const asked = askedMs(reply, clock.now());
      if (reply.status === 403 && !spent && asked === undefined && !/secondary rate limit|abuse/i.test(message))
        return undefined;
      const reset = Number(reply.headers['x-ratelimit-reset']) * 1_000 - clock.now().getTime();
      // GitHub's own advice: retry-after, else the reset where nothing remains, else at least a minute.
      const retryAfterMs = asked ?? (spent && Number.isFinite(reset) ? Math.max(1_000, reset) : 60_000);
      return new TicketSystemBusy(`github limits ${call.operation}`, facts, { retryAfterMs });
    },
  });

  const repositoryOf = (ref: TicketRef): string =>
    /^([\w.-]+\/[\w.-]+)#\d+$/.exec(ref.key)?.[1] ?? destination.repository;
  const pathOf = (ref: TicketRef): string => `/repos/${repositoryOf(ref)}/issues/${/\d+$/.exec(ref.key)?.[0] ?? '0'}`;

  const refOf = (issue: Issue): TicketRef => {
    const repository = /\/repos\/([\w.-]+\/[\w.-]+)$/.exec(issue.repository_url ?? '')?.[1] ?? destination.repository;
    return { id: issue.id, key: `${repository}#${issue.number}`, url: issue.html_url, place: repository };
  };

  const withMarker = (body: Text, incident: string): string =>
    `${toMarkdown(body, BODY_LIMIT - MARKER_ROOM)}\n\n${incidentComment(incident)}`;

  const labelOf = (label: string): string =>
    cut(
      clean(label)
        .replace(/[\s,]+/g, ' ')
        .trim(),
      LABEL_LIMIT,
    );
  const labelNames = (issue: Issue): string[] =>
    issue.labels.flatMap((label) => (typeof label === 'string' ? label : (label.name ?? [])));
  const isOurs = (issue: Issue, incident: string): boolean =>
    issue.pull_request === undefined &&
    (issue.body ?? '').trimEnd().endsWith(incidentComment(incident)) &&
    (destination.actor === undefined || !issue.user || issue.user.login === destination.actor);

  const get = (ref: TicketRef, deadline: Deadline): Promise<Issue> =>
    http.read(Issue, { operation: 'getIssue', method: 'GET', path: pathOf(ref), repeat: 'safe' }, deadline);

  const patch = async (ref: TicketRef, json: object, deadline: Deadline): Promise<void> => {
    await http.send({ operation: 'updateIssue', method: 'PATCH', path: pathOf(ref), json, repeat: 'safe' }, deadline);
  };

  async function comment(ref: TicketRef, { marker, text, repeated }: Note, deadline: Deadline): Promise<void> {
    const path = `${pathOf(ref)}/comments`;
    if (repeated) {
      for (let page = 1; page <= MOST_PAGES; page++) {
        const comments = await http.read(
          z.array(z.object({ body: z.string().nullish() })),
          { operation: 'listComments', method: 'GET', path: `${path}?per_page=${PAGE}&page=${page}`, repeat: 'safe' },
          deadline,
        );
        if (comments.some(({ body }) => body?.trimEnd().endsWith(actionComment(marker)))) return;
        if (comments.length < PAGE) break;
      }
    }
    const body = `${toMarkdown(text, BODY_LIMIT - MARKER_ROOM)}\n\n${actionComment(marker)}`;
    await http.send({ operation: 'createComment', method: 'POST', path, json: { body }, repeat: 'safe' }, deadline);
  }

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
      // 80 content-creating requests a minute and 500 an hour, at least a second apart.
      budget: { writesPerMinute: 50, writesPerHour: 450, gapMs: 1_000 },
    },

    written: ({ title, body, severity }) => ({
      ...(title !== undefined && { title: digest(titleOf(title, TITLE_LIMIT)) }),
      ...(body !== undefined && { body: digest(toMarkdown(body, BODY_LIMIT - MARKER_ROOM)) }),
      ...(severity !== undefined && { severity: digest(destination.severityLabels[severity]) }),
    }),

    async open(draft: TicketDraft, deadline) {
      const follows = draft.follows ? [paragraph('Follows ', link(draft.follows.key, draft.follows.url), '.')] : [];
      const labels = [...destination.labels, ...draft.labels, destination.severityLabels[draft.severity]].map(labelOf);
      const issue = await http.read(
        Issue,
        {
          operation: 'createIssue',
          method: 'POST',
          path: `/repos/${destination.repository}/issues`,
          json: {
            title: titleOf(draft.title, TITLE_LIMIT),
            body: withMarker([...bodyOf(draft), ...follows], draft.incident),
            ...(!isLeftOut(draft, 'labels') && { labels: [...new Set(labels)].filter((label) => label !== '') }),
            ...(!isLeftOut(draft, 'assignees') &&
              destination.assignees.length > 0 && { assignees: destination.assignees }),
          },
          repeat: 'never',
          missing: 'place',
        },
        deadline,
      );
      return refOf(issue);
    },

    // By the body: labels are dropped without push access, and the search index lags. The list does not.
    async find(incident, attemptedAt, deadline) {
      const since = new Date(attemptedAt.getTime() - 10 * 60_000).toISOString();
      const found: Issue[] = [];
      for (let page = 1; ; page++) {
        if (page > MOST_PAGES) throw tooMany('github', 'listIssues');
        const query = new URLSearchParams({
          state: 'all',
          since,
          sort: 'created',
          direction: 'desc',
          per_page: String(PAGE),
          page: String(page),
        });
        const path = `/repos/${destination.repository}/issues?${query}`;
        const call = { operation: 'listIssues', method: 'GET', path, repeat: 'safe', missing: 'place' } as const;
        const issues = await http.read(z.array(Issue), call, deadline);
        found.push(...issues.filter((issue) => isOurs(issue, incident)));
        if (issues.length < PAGE) break;
      }
      const tickets = found.toSorted((a, b) => a.number - b.number).map(refOf);
      return foundOr(tickets, attemptedAt, clock.now(), SETTLE_MS);
    },

    async read(ref, written, deadline): Promise<TicketState> {
      const issue = await unlessGone(() => get(ref, deadline));
      if (!issue) return gone(ref);
      const now = refOf(issue);
      const reason = issue.state === 'closed' ? (issue.state_reason ?? undefined) : undefined;
      const assignees = issue.assignees ?? [];
      const names = labelNames(issue);
      const severity = severities
        .map((name) => destination.severityLabels[name])
        .find((label) => names.includes(label));
      const body = (issue.body ?? '').replace(/\s*<!-- atlas-incident: [a-z0-9-]+ -->\s*$/, '');
      return {
        ref: now,
        status: issue.state === 'closed' ? 'closed' : 'open',
        moved: repositoryOf(now) !== repositoryOf(ref),
        resolution: reason,
        wontFix: issue.locked === true || reason === 'not_planned',
        reopenable: issue.locked !== true,
        acknowledged: assignees.some(({ login }) => !destination.assignees.includes(login)),
        assignee: assignees[0]?.login,
        edited: {
          title: differs(written.title, issue.title),
          body: differs(written.body, body),
          // Labels that were dropped for want of push access were not edited.
          severity: severity !== undefined && differs(written.severity, severity),
        },
        version: issue.updated_at ?? `${issue.state} ${assignees.length}`,
      };
    },

    comment,

    async update(ref, { incident, title, body, severity, addLabels = [] }: TicketChange, deadline) {
      let labels: string[] | undefined;
      if (severity !== undefined || addLabels.length > 0) {
        const others: readonly string[] = severities.map((name) => destination.severityLabels[name]);
        const now = labelNames(await get(ref, deadline));
        const kept = severity === undefined ? now : now.filter((label) => !others.includes(label));
        const added = severity === undefined ? addLabels : [...addLabels, destination.severityLabels[severity]];
        labels = [...new Set([...kept, ...added.map(labelOf)])];
      }
      await patch(
        ref,
        {
          ...(title !== undefined && { title: titleOf(title, TITLE_LIMIT) }),
          ...(body !== undefined && { body: withMarker(body, incident) }),
          ...(labels && { labels }),
        },
        deadline,
      );
    },

    async close(ref, closing, deadline) {
      await comment(ref, closing, deadline);
      // Never `not_planned`: that is how people say that it is not to come back.
      const state_reason = closing.resolution === 'duplicate' ? 'duplicate' : 'completed';
      if ((await get(ref, deadline)).state !== 'closed') await patch(ref, { state: 'closed', state_reason }, deadline);
    },

    async reopen(ref, note, deadline) {
      await patch(ref, { state: 'open', state_reason: 'reopened' }, deadline);
      await comment(ref, note, deadline);
    },

    async link(from, to, relation, note, deadline) {
      const words = { duplicates: 'Duplicate of ', follows: 'Follows ', relates: 'See also ' }[relation];
      await comment(from, { ...note, text: [paragraph(words, link(to.key, to.url), '.'), ...note.text] }, deadline);
    },
  };
}
