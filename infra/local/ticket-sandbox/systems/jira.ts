import type { Received } from '../../atlas-sandbox/received.ts';
import { isAdf } from '../adf.ts';
import { createLimiter } from '../limits.ts';
import { answer, TrackerRefusal } from '../refusal.ts';
import {
  type Actor,
  type Before,
  BOT,
  type Context,
  createPeople,
  type Doing,
  isObject,
  isoOf,
  jsonOf,
  objectAt,
  type Ticket,
  Tickets,
  type Tracker,
  textAt,
  textsAt,
} from '../tracker.ts';
import { hex } from '../webhooks.ts';
import { CATEGORY, changelogOf, problemsOf, TRANSITIONS } from './jira-rules.ts';

interface Jira extends Tracker {
  /** How far search lies behind, in milliseconds. */
  searchLagMs: number;
  /** Fields that are not on the screen of new issues: refused there. */
  readonly offScreen: Set<string>;
}

/**
 * Jira Cloud, REST v3. Sources: developer.atlassian.com/cloud/jira/platform (rest/v3, rate-limiting,
 * search-and-reconcile, webhooks).
 */
export function createJira({ seed, clock, webhooks, origin, limits, durable }: Context): Jira {
  const tickets = new Tickets(clock, durable);
  const secret = { email: 'bot@example.com', apiToken: `jira-token-${seed}` };
  const proof = `Basic ${Buffer.from(`${secret.email}:${secret.apiToken}`).toString('base64')}`;
  const burst = createLimiter(
    clock,
    limits['jira'] === false ? undefined : (limits['jira'] ?? { calls: 100, seconds: 1 }),
  );
  const perIssue = [
    { calls: 20, seconds: 2 },
    { calls: 100, seconds: 30 },
  ].map((window) => createLimiter(clock, limits['jira.issue'] === false ? undefined : window));
  let last = tickets.all.length;

  const errors = (status: number, fields: Readonly<Record<string, string>>, ...messages: string[]): TrackerRefusal =>
    new TrackerRefusal(status, { errorMessages: messages, errors: fields });
  const tooMany = (seconds: number, reason: string): TrackerRefusal =>
    new TrackerRefusal(
      429,
      { errorMessages: ['Rate limit exceeded.'], errors: {} },
      {
        'Retry-After': String(seconds),
        'RateLimit-Reason': reason,
        'X-RateLimit-Remaining': '0',
      },
    );

  const guarded =
    (operation: string, handle: (received: Received) => Response) =>
    (received: Received): Response => {
      const given = received.headers.get('authorization');
      if (given !== proof) throw errors(401, {}, 'Client must be authenticated to access this resource.');
      const taken = burst(operation);
      if (!taken.allowed) throw tooMany(taken.waitSeconds, 'jira-burst-based');
      return handle(received);
    };
  const body = (received: Received): Record<string, unknown> =>
    jsonOf(received, (status) =>
      status === 415 ? errors(415, {}, 'Unsupported Media Type') : errors(400, {}, 'There was an error parsing JSON.'),
    );
  const theIssue = ({ params }: Received): Ticket => {
    const wanted = params['issue'] ?? '';
    const former = (ticket: Ticket): boolean => textsAt(ticket.extra, 'formerKeys').includes(wanted);
    const ticket = tickets.present.find((each) => each.id === wanted || each.key === wanted || former(each));
    if (!ticket) throw errors(404, {}, 'Issue does not exist or you do not have permission to see it.');
    return ticket;
  };
  const written = (ticket: Ticket): void => {
    for (const take of perIssue) {
      const taken = take(ticket.id);
      if (!taken.allowed) throw tooMany(taken.waitSeconds, 'jira-per-issue-on-write');
    }
  };

  /** Search sees labels as they were some time ago. */
  const index = (ticket: Ticket): void => {
    const entries = ticket.extra['indexed'];
    const entry = { visibleAt: clock.now().getTime() + jira.searchLagMs, labels: [...ticket.labels] };
    ticket.extra['indexed'] = [...(Array.isArray(entries) ? entries : []), entry];
  };
  const indexedLabels = (ticket: Ticket): string[] => {
    const entries = ticket.extra['indexed'];
    const now = clock.now().getTime();
    const visible = (Array.isArray(entries) ? entries : []).filter(
      (entry) => isObject(entry) && Number(entry['visibleAt']) <= now,
    );
    const latest: unknown = visible.at(-1);
    return isObject(latest) ? textsAt(latest, 'labels') : [];
  };

  const checkFields = (fields: Record<string, unknown>, creating: boolean): void => {
    const found = problemsOf(fields, creating, jira.offScreen);
    if (Object.keys(found).length > 0) throw errors(400, found);
  };

  const statusOf = (name: string) => ({ name, statusCategory: { key: CATEGORY[name] ?? 'new' } });
  const issueOf = (ticket: Ticket) => ({
    id: ticket.id,
    key: ticket.key,
    self: `${origin()}/jira/rest/api/3/issue/${ticket.id}`,
    fields: {
      summary: ticket.title,
      description: ticket.body,
      status: statusOf(ticket.status),
      resolution: ticket.resolution === null ? null : { name: ticket.resolution },
      priority: ticket.severity === null ? null : { name: ticket.severity },
      assignee:
        ticket.assignee === null ? null : { accountId: `user-${ticket.assignee}`, displayName: ticket.assignee },
      labels: ticket.labels,
      updated: isoOf(ticket.updatedAt),
      created: isoOf(ticket.createdAt),
    },
  });

  function changed(ticket: Ticket, doing: Doing, before: Before, actor: Actor): void {
    index(ticket);
    const items = changelogOf(ticket, doing, before);
    if (items.length === 0 && doing !== 'deleted') return;
    const at = clock.now().getTime();
    const text = JSON.stringify({
      timestamp: at,
      webhookEvent: doing === 'deleted' ? 'jira:issue_deleted' : 'jira:issue_updated',
      user: { accountId: actor.id, displayName: actor.name },
      issue: issueOf(ticket),
      changelog: { id: String(at), items },
    });
    webhooks.emit('jira', (key) => ({
      headers: {
        'X-Hub-Signature': `sha256=${hex(key, text)}`,
        'X-Atlassian-Webhook-Identifier': `${ticket.id}-${ticket.changes}`,
      },
      body: text,
    }));
  }

  const byBot = (ticket: Ticket, doing: Doing, mutate: () => void): void => {
    const before = { status: ticket.status, assignee: ticket.assignee, key: ticket.key };
    mutate();
    tickets.touch(ticket);
    changed(ticket, doing, before, BOT);
  };

  const jira: Jira = {
    name: 'jira',
    searchLagMs: 5_000,
    offScreen: new Set(),
    tickets,
    people: createPeople(tickets, {
      open: 'To Do',
      closed: 'Done',
      resolution: 'Done',
      wontFix: { status: "Won't Do", resolution: "Won't Do" },
      acknowledged: 'In Progress',
      move(ticket) {
        ticket.extra['formerKeys'] = [...textsAt(ticket.extra, 'formerKeys'), ticket.key];
        ticket.key = ticket.key.replace(/^OPS-/, 'PLAT-');
      },
      changed,
    }),
    secrets: { 'tickets/jira': JSON.stringify(secret) },
    destination: (at) => ({
      id: 'jira',
      type: 'jira',
      baseUrl: `${at}/jira`,
      secret: 'tickets/jira',
      webhookSecret: 'tickets/jira-webhook',
      actor: BOT.id,
      project: 'OPS',
    }),
    refuse: (status) => errors(status, {}, `Refused with ${status}.`).response,
    routes: [
      {
        operation: 'jira.createIssue',
        method: 'POST',
        path: '/rest/api/3/issue',
        handle: guarded('createIssue', (received) => {
          const input = body(received);
          const fields = objectAt(input, 'fields');
          checkFields(fields, true);
          const properties: Record<string, unknown> = {};
          for (const property of Array.isArray(input['properties']) ? input['properties'] : []) {
            if (!isObject(property) || !textAt(property, 'key')) throw errors(400, {}, 'The property is invalid.');
            properties[textAt(property, 'key') ?? ''] = property['value'];
          }
          last += 1;
          const ticket = tickets.add({
            id: String(10_000 + last),
            key: `OPS-${last}`,
            title: textAt(fields, 'summary') ?? '',
            body: fields['description'] ?? null,
            status: 'To Do',
            severity: textAt(objectAt(fields, 'priority'), 'name') ?? 'Medium',
            labels: textsAt(fields, 'labels'),
            incident: textAt(objectAt(properties, 'atlas.bridge'), 'incident') ?? null,
            extra: { properties },
          });
          index(ticket);
          return answer(201, { id: ticket.id, key: ticket.key, self: issueOf(ticket).self });
        }),
      },
      {
        operation: 'jira.searchIssues',
        method: 'POST',
        path: '/rest/api/3/search/jql',
        handle: guarded('searchIssues', (received) => {
          const input = body(received);
          const jql = (textAt(input, 'jql') ?? '').replace(/\border by\b.*$/i, '').trim();
          const wanted = [...jql.matchAll(/labels\s*=\s*"([^"]+)"/gi)].map(([, label = '']) => label);
          const project = /project\s*=\s*"?([A-Z]+)"?/i.exec(jql)?.[1];
          if (jql === '') throw errors(400, {}, 'Unbounded JQL queries are not allowed here.');
          if (wanted.length === 0 && !project) throw errors(400, {}, 'Error in the JQL Query.');
          const reconciled = (Array.isArray(input['reconcileIssues']) ? input['reconcileIssues'] : []).map(String);
          const found = tickets.present.filter((ticket) => {
            const labels = reconciled.includes(ticket.id) ? ticket.labels : indexedLabels(ticket);
            return (
              wanted.every((label) => labels.includes(label)) && (!project || ticket.key.startsWith(`${project}-`))
            );
          });
          const max = Number(input['maxResults'] ?? 50);
          const properties = textsAt(input, 'properties');
          const issues = found.slice(0, max).map((ticket) => ({
            ...issueOf(ticket),
            properties: Object.fromEntries(
              properties
                .map((name) => [name, objectAt(ticket.extra, 'properties')[name]] as const)
                .filter(([, value]) => value !== undefined),
            ),
          }));
          return answer(200, { issues, isLast: found.length <= max });
        }),
      },
      {
        operation: 'jira.oldSearch',
        method: 'POST',
        path: '/rest/api/3/search',
        handle: guarded('oldSearch', () => {
          throw errors(
            410,
            {},
            'The requested API has been removed. Please migrate to the /rest/api/3/search/jql API.',
          );
        }),
      },
      {
        operation: 'jira.getIssue',
        method: 'GET',
        path: '/rest/api/3/issue/:issue',
        handle: guarded('getIssue', (received) => answer(200, issueOf(theIssue(received)))),
      },
      {
        operation: 'jira.editIssue',
        method: 'PUT',
        path: '/rest/api/3/issue/:issue',
        handle: guarded('editIssue', (received) => {
          const ticket = theIssue(received);
          const input = body(received);
          const fields = objectAt(input, 'fields');
          checkFields(fields, false);
          written(ticket);
          const added = objectAt(input, 'update')['labels'];
          byBot(ticket, 'edited', () => {
            ticket.title = textAt(fields, 'summary') ?? ticket.title;
            ticket.body = fields['description'] ?? ticket.body;
            ticket.severity = textAt(objectAt(fields, 'priority'), 'name') ?? ticket.severity;
            for (const each of Array.isArray(added) ? added : []) {
              const label = isObject(each) ? textAt(each, 'add') : undefined;
              if (label && !ticket.labels.includes(label)) ticket.labels.push(label);
            }
          });
          return answer(204);
        }),
      },
      {
        operation: 'jira.addComment',
        method: 'POST',
        path: '/rest/api/3/issue/:issue/comment',
        handle: guarded('addComment', (received) => {
          const ticket = theIssue(received);
          const input = body(received);
          if (!isAdf(input['body'])) throw errors(400, { comment: 'Comment body is not valid!' });
          written(ticket);
          const at = clock.now().getTime();
          const id = String(20_000 + ticket.comments.length);
          ticket.comments.push({
            id,
            author: BOT.name,
            body: input['body'],
            at,
            extra: { properties: input['properties'] ?? [] },
          });
          tickets.touch(ticket);
          return answer(201, { id });
        }),
      },
      {
        operation: 'jira.listComments',
        method: 'GET',
        path: '/rest/api/3/issue/:issue/comment',
        handle: guarded('listComments', (received) => {
          const withProperties = received.url.searchParams.get('expand')?.includes('properties');
          const comments = theIssue(received)
            .comments.map((comment) => ({
              id: comment.id,
              body: comment.body,
              ...(withProperties && { properties: comment.extra['properties'] ?? [] }),
            }))
            .reverse();
          return answer(200, { comments, total: comments.length });
        }),
      },
      {
        operation: 'jira.listTransitions',
        method: 'GET',
        path: '/rest/api/3/issue/:issue/transitions',
        handle: guarded('listTransitions', (received) => {
          const { status } = theIssue(received);
          const transitions = TRANSITIONS.filter(({ to }) => to !== status).map(({ id, name, to }) => ({
            id,
            name,
            to: statusOf(to),
            fields:
              CATEGORY[to] === 'done'
                ? {
                    resolution: {
                      required: true,
                      allowedValues: [{ name: 'Done' }, { name: "Won't Do" }, { name: 'Duplicate' }],
                    },
                  }
                : {},
          }));
          return answer(200, { transitions });
        }),
      },
      {
        operation: 'jira.transitionIssue',
        method: 'POST',
        path: '/rest/api/3/issue/:issue/transitions',
        handle: guarded('transitionIssue', (received) => {
          const ticket = theIssue(received);
          const input = body(received);
          const wanted = textAt(objectAt(input, 'transition'), 'id');
          const transition = TRANSITIONS.find(({ id, to }) => id === wanted && to !== ticket.status);
          if (!transition) throw errors(400, {}, `Transition id '${wanted}' is not valid for this issue.`);
          written(ticket);
          const done = CATEGORY[transition.to] === 'done';
          const resolution = textAt(objectAt(objectAt(input, 'fields'), 'resolution'), 'name');
          if (done && !resolution) throw errors(400, { resolution: 'Resolution is required.' });
          byBot(ticket, done ? 'closed' : 'reopened', () => {
            ticket.status = transition.to;
            ticket.resolution = done ? (resolution ?? null) : null;
          });
          return answer(204);
        }),
      },
      {
        operation: 'jira.linkIssues',
        method: 'POST',
        path: '/rest/api/3/issueLink',
        handle: guarded('linkIssues', (received) => {
          const input = body(received);
          const [from, to] = ['inwardIssue', 'outwardIssue'].map((side) => {
            const key = textAt(objectAt(input, side), 'key');
            return tickets.present.find((ticket) => ticket.key === key);
          });
          const type = textAt(objectAt(input, 'type'), 'name');
          if (!from || !to) throw errors(404, {}, 'Issue does not exist or you do not have permission to see it.');
          if (!type || !['Duplicate', 'Relates', 'Blocks'].includes(type))
            throw errors(404, {}, `No issue link type with name '${type}' found.`);
          if (!from.links.some((link) => link.to === to.id && link.type === type)) from.links.push({ to: to.id, type });
          tickets.keep(from);
          return answer(201);
        }),
      },
    ],
  };
  return jira;
}

export type { Jira };
