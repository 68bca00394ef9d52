import { buildSchema, GraphQLError, graphql } from 'graphql';
import type { Received } from '../../atlas-sandbox/received.ts';
import { KeptMap } from '../../durable/durable.ts';
import { createLimiter } from '../limits.ts';
import { answer, TrackerRefusal } from '../refusal.ts';
import {
  type Actor,
  type Before,
  BOT,
  type Context,
  createPeople,
  type Doing,
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
import { SCHEMA } from './linear-schema.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const TEAM = 'team-ops';
const AWAY = 'team-elsewhere';
const STATES = [
  { id: 'state-todo', name: 'Todo', type: 'unstarted', position: 1 },
  { id: 'state-progress', name: 'In Progress', type: 'started', position: 2 },
  { id: 'state-done', name: 'Done', type: 'completed', position: 3 },
  { id: 'state-canceled', name: 'Canceled', type: 'canceled', position: 4 },
  { id: 'state-duplicate', name: 'Duplicate', type: 'duplicate', position: 5 },
];
const stateBy = (id: string) => STATES.find((state) => state.id === id) ?? STATES[0];

interface Arguments {
  readonly id?: string;
  readonly input?: Record<string, unknown>;
}

/** Linear's GraphQL API. Sources: linear.app/developers (graphql, rate-limiting, webhooks). */
export function createLinear({ seed, clock, webhooks, limits, durable }: Context): Tracker {
  const tickets = new Tickets(clock, durable);
  const token = `lin_api_${seed}`;
  const limit = limits['linear'] === false ? undefined : (limits['linear'] ?? { calls: 5_000, seconds: 3_600 });
  const hourly = createLimiter(clock, limit);
  const comments = new KeptMap<{ id: string; body: string }>(durable.shelf('comments'));
  const relations = new KeptMap<{ id: string; type: string }>(durable.shelf('relations'));
  const schema = buildSchema(SCHEMA);

  const refused = (message: string, code: string, presentable = message): GraphQLError =>
    new GraphQLError(message, {
      extensions: {
        type: code === 'INPUT_ERROR' ? 'invalid input' : code,
        code,
        userError: true,
        userPresentableMessage: presentable,
      },
    });
  const notFound = (entity: string): GraphQLError =>
    refused(`Entity not found: ${entity}`, 'INPUT_ERROR', `Could not find referenced ${entity}.`);

  const theIssue = (id: string | undefined): Ticket => {
    const ticket = tickets.all.find((each) => each.id === id || each.key === id);
    if (!ticket || ticket.extra['purged'] === true) throw notFound('Issue');
    return ticket;
  };
  const teamOf = (id: string) => {
    if (id !== TEAM && id !== AWAY) throw notFound('Team');
    return { id, key: id === TEAM ? 'OPS' : 'PLAT', name: 'Operations', states: { nodes: STATES } };
  };
  const issueOf = (ticket: Ticket) => ({
    id: ticket.id,
    identifier: ticket.key,
    url: `https://linear.example/ops/issue/${ticket.key}`,
    title: ticket.title,
    description: ticket.body,
    priority: Number(ticket.severity ?? 0),
    createdAt: isoOf(ticket.createdAt),
    updatedAt: isoOf(ticket.updatedAt),
    trashed: ticket.deleted ? true : null,
    state: stateBy(ticket.status),
    team: teamOf(String(ticket.extra['team'])),
    assignee:
      ticket.assignee === null
        ? null
        : { id: `user-${ticket.assignee}`, name: ticket.assignee, displayName: ticket.assignee },
  });

  /** An id of the caller's own must be a UUID of version 4 that nobody has. */
  const ownId = (input: Record<string, unknown>, taken: (id: string) => boolean, entity: string): string => {
    const id =
      textAt(input, 'id') ?? `00000000-0000-4000-8000-${String(tickets.all.length + comments.size).padStart(12, '0')}`;
    if (!UUID.test(id)) throw refused('Argument Validation Error', 'INPUT_ERROR', 'id must be a UUID.');
    if (taken(id)) throw refused('Conflict on insert', 'INPUT_ERROR', `${entity} with this id already exists.`);
    return id;
  };
  /** Linear keeps its own wording of Markdown: escapes that it does not need are gone. */
  const normalised = (markdown: string): string =>
    markdown
      .replace(/\\([.#!-])/g, '$1')
      .replace(/\n{3,}/g, '\n\n')
      .trim();
  const titled = (input: Record<string, unknown>): string | undefined => {
    const title = textAt(input, 'title');
    if (title !== undefined && (title.trim() === '' || title.length > 255))
      throw refused('Argument Validation Error', 'INPUT_ERROR', 'title must be 1 to 255 characters.');
    return title;
  };

  const root = {
    issue: ({ id }: Arguments) => issueOf(theIssue(id)),
    team: ({ id = '' }: Arguments) => teamOf(id),
    comment({ id = '' }: Arguments) {
      const comment = comments.get(id);
      if (!comment) throw notFound('Comment');
      return comment;
    },
    issueRelation({ id = '' }: Arguments) {
      const relation = relations.get(id);
      if (!relation) throw notFound('IssueRelation');
      return relation;
    },
    issueCreate({ input = {} }: Arguments) {
      const id = ownId(input, (wanted) => tickets.find(wanted) !== undefined, 'Issue');
      teamOf(textAt(input, 'teamId') ?? '');
      if (textsAt(input, 'labelIds').some((label) => !label.startsWith('label-'))) throw notFound('IssueLabel');
      const title = titled(input);
      if (title === undefined) throw refused('Argument Validation Error', 'INPUT_ERROR', 'title is required.');
      const ticket = tickets.add({
        id,
        key: `OPS-${tickets.all.length + 1}`,
        title,
        body: normalised(textAt(input, 'description') ?? ''),
        status: 'state-todo',
        severity: String(input['priority'] ?? 0),
        labels: textsAt(input, 'labelIds'),
        incident: null,
        extra: { team: textAt(input, 'teamId') },
      });
      return { success: true, issue: issueOf(ticket) };
    },
    issueUpdate({ id, input = {} }: Arguments) {
      const ticket = theIssue(id);
      const before = { status: ticket.status, assignee: ticket.assignee, key: ticket.key };
      const stateId = textAt(input, 'stateId');
      if (stateId !== undefined && !STATES.some((state) => state.id === stateId)) throw notFound('WorkflowState');
      ticket.title = titled(input) ?? ticket.title;
      ticket.body = 'description' in input ? normalised(textAt(input, 'description') ?? '') : ticket.body;
      ticket.severity = input['priority'] === undefined ? ticket.severity : String(input['priority']);
      ticket.status = stateId ?? ticket.status;
      tickets.touch(ticket);
      const closed = ['completed', 'canceled', 'duplicate'].includes(stateBy(ticket.status)?.type ?? '');
      changed(ticket, before.status === ticket.status ? 'edited' : closed ? 'closed' : 'reopened', before, BOT);
      return { success: true, issue: issueOf(ticket) };
    },
    commentCreate({ input = {} }: Arguments) {
      const ticket = theIssue(textAt(input, 'issueId'));
      const id = ownId(input, (wanted) => comments.has(wanted), 'Comment');
      const comment = { id, body: textAt(input, 'body') ?? '' };
      comments.set(id, comment);
      ticket.comments.push({ id, author: BOT.name, body: comment.body, at: clock.now().getTime(), extra: {} });
      tickets.touch(ticket);
      return { success: true, comment };
    },
    issueRelationCreate({ input = {} }: Arguments) {
      const from = theIssue(textAt(input, 'issueId'));
      const to = theIssue(textAt(input, 'relatedIssueId'));
      const relation = {
        id: ownId(input, (wanted) => relations.has(wanted), 'IssueRelation'),
        type: String(input['type']),
      };
      relations.set(relation.id, relation);
      from.links.push({ to: to.id, type: relation.type });
      tickets.keep(from);
      return { success: true, issueRelation: relation };
    },
  };

  function changed(ticket: Ticket, doing: Doing, before: Before, actor: Actor): void {
    if (doing === 'commented') return;
    const closed = (state: string): boolean =>
      ['completed', 'canceled', 'duplicate'].includes(stateBy(state)?.type ?? '');
    const at = clock.now().getTime();
    const text = JSON.stringify({
      action: doing === 'deleted' ? 'remove' : 'update',
      type: 'Issue',
      actor: { id: actor.id, name: actor.name, type: actor.person ? 'user' : 'app' },
      createdAt: isoOf(at),
      data: { ...issueOf(ticket), assigneeId: ticket.assignee === null ? null : `user-${ticket.assignee}` },
      updatedFrom: {
        updatedAt: isoOf(ticket.createdAt),
        ...(before.assignee !== ticket.assignee && { assigneeId: before.assignee }),
        ...(before.status !== ticket.status && {
          stateId: before.status,
          ...(closed(before.status) && { completedAt: isoOf(at) }),
        }),
        ...(before.key !== ticket.key && { teamId: TEAM }),
        ...(doing === 'edited' && { title: 'as it was' }),
      },
      webhookTimestamp: at,
    });
    webhooks.emit('linear', (key) => ({
      headers: {
        'Linear-Signature': hex(key, text),
        'Linear-Delivery': `delivery-${ticket.id}-${ticket.changes}`,
        'Linear-Event': 'Issue',
      },
      body: text,
    }));
  }

  const failure = (
    status: number,
    message: string,
    code: string,
    headers: Record<string, string> = {},
  ): TrackerRefusal =>
    new TrackerRefusal(
      status,
      { errors: [{ message, extensions: { type: code.toLowerCase().replace('_', ' '), code } }] },
      headers,
    );

  async function handle(received: Received): Promise<Response> {
    if (received.headers.get('authorization') !== token)
      throw failure(401, 'Authentication required, not authenticated', 'AUTHENTICATION_ERROR');
    const taken = hourly(token);
    const headers = {
      'X-RateLimit-Requests-Limit': String(limit?.calls ?? 0),
      'X-RateLimit-Requests-Remaining': String(taken.remaining),
      'X-RateLimit-Requests-Reset': String(taken.resetAt),
    };
    // Linear refuses with 400, and not with 429.
    if (!taken.allowed) throw failure(400, 'Rate limit exceeded', 'RATELIMITED', headers);
    const input = jsonOf(received, (status) => failure(status, 'Bad request', 'INPUT_ERROR'));
    const result = await graphql({
      schema,
      source: textAt(input, 'query') ?? '',
      rootValue: root,
      variableValues: objectAt(input, 'variables'),
    });
    const { data, errors } = result;
    const said = errors?.map(({ message, path, extensions }) => ({ message, path, extensions }));
    return answer(
      errors && !data ? (errors[0]?.path ? 200 : 400) : 200,
      { data: data ?? null, ...(said && { errors: said }) },
      headers,
    );
  }

  return {
    name: 'linear',
    tickets,
    people: createPeople(tickets, {
      open: 'state-todo',
      closed: 'state-done',
      wontFix: { status: 'state-canceled', resolution: 'canceled' },
      acknowledged: 'state-progress',
      move(ticket) {
        ticket.extra['team'] = AWAY;
        ticket.key = ticket.key.replace('OPS-', 'PLAT-');
      },
      changed,
    }),
    secrets: { 'tickets/linear': token },
    destination: (at) => ({
      id: 'linear',
      type: 'linear',
      baseUrl: `${at}/linear`,
      secret: 'tickets/linear',
      webhookSecret: 'tickets/linear-webhook',
      actor: BOT.id,
      teamId: TEAM,
    }),
    refuse: (status) =>
      failure(
        status,
        `Refused with ${status}`,
        { 401: 'AUTHENTICATION_ERROR', 403: 'FORBIDDEN', 429: 'RATELIMITED' }[status] ??
          (status >= 500 ? 'INTERNAL_SERVER_ERROR' : 'INPUT_ERROR'),
      ).response,
    routes: [{ operation: 'linear.graphql', method: 'POST', path: '/graphql', handle }],
  };
}
