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
  isObject,
  isoOf,
  jsonOf,
  type Ticket,
  Tickets,
  type Tracker,
  textAt,
  textsAt,
} from '../tracker.ts';
import { hex } from '../webhooks.ts';

export interface GitHub extends Tracker {
  /** Without it labels and assignees are dropped in silence. */
  pushAccess: boolean;
  /** Issues can be switched off: 410. */
  hasIssues: boolean;
}

const HOME = 'octo/ops';
const AWAY = 'octo/elsewhere';
const SECONDARY =
  'You have exceeded a secondary rate limit and have been temporarily blocked from content creation. Please retry your request again later.';

/**
 * GitHub's REST API for issues. Sources: docs.github.com/en/rest (issues/issues, issues/comments, using-the-rest-api/rate-limits-for-the-rest-api),
 * docs.github.com/en/webhooks.
 */
export function createGitHub({ seed, clock, webhooks, origin, limits, durable }: Context): GitHub {
  const tickets = new Tickets(clock, durable);
  const token = `ghp_${seed}`;
  const primary = createLimiter(
    clock,
    limits['github'] === false ? undefined : (limits['github'] ?? { calls: 5_000, seconds: 3_600 }),
  );
  const content = [
    { calls: 80, seconds: 60 },
    { calls: 500, seconds: 3_600 },
  ].map((window) => createLimiter(clock, limits['github.content'] === false ? undefined : window));
  const numbers = new KeptMap<number>(durable.shelf('numbers'));
  for (const repository of [HOME, AWAY]) numbers.set(repository, numbers.get(repository) ?? 0);

  const refusal = (status: number, message: string, more: object = {}, headers: Record<string, string> = {}) =>
    new TrackerRefusal(status, { message, documentation_url: 'https://docs.github.com/rest', ...more }, headers);
  const guarded =
    (handle: (received: Received) => Response, creates = false) =>
    (received: Received): Response => {
      if (received.headers.get('authorization') !== `Bearer ${token}`) throw refusal(401, 'Bad credentials');
      if (!received.headers.get('user-agent'))
        throw refusal(
          403,
          'Request forbidden by administrative rules. Please make sure your request has a User-Agent header.',
        );
      const taken = primary('core');
      const headers = {
        'x-ratelimit-limit': '5000',
        'x-ratelimit-remaining': String(taken.remaining),
        'x-ratelimit-reset': String(Math.ceil(taken.resetAt / 1_000)),
      };
      if (!taken.allowed) throw refusal(403, 'API rate limit exceeded', {}, headers);
      for (const take of creates ? content : []) {
        const allowance = take('content');
        if (!allowance.allowed)
          throw refusal(403, SECONDARY, {}, { ...headers, 'retry-after': String(allowance.waitSeconds) });
      }
      const response = handle(received);
      for (const [name, value] of Object.entries(headers)) response.headers.set(name, value);
      return response;
    };
  const body = (received: Received) =>
    jsonOf(received, (status) => refusal(status, status === 415 ? 'Unsupported Media Type' : 'Problems parsing JSON'));
  const invalid = (field: string, code: string): TrackerRefusal =>
    refusal(422, 'Validation Failed', { errors: [{ resource: 'Issue', field, code }] });
  const repositoryIn = ({ params }: Received): string => {
    const repository = `${params['owner']}/${params['repo']}`;
    if (!numbers.has(repository)) throw refusal(404, 'Not Found');
    return repository;
  };

  function theIssue(received: Received): Ticket {
    const repository = repositoryIn(received);
    const key = `${repository}#${received.params['number']}`;
    const ticket = tickets.all.find((each) => each.key === key);
    if (ticket?.deleted) throw refusal(410, 'This issue was deleted');
    if (ticket) return ticket;
    const moved = tickets.present.find((each) => textsAt(each.extra, 'formerKeys').includes(key));
    if (!moved) throw refusal(404, 'Not Found');
    const [away = '', number = ''] = moved.key.split('#');
    const rest = received.url.pathname.replace(/^.*\/issues\/\d+/, '');
    const location = `${origin()}/github/repos/${away}/issues/${number}${rest}`;
    throw refusal(
      received.url.searchParams.size > 0 || rest === '' ? 301 : 307,
      'Moved Permanently',
      { url: location },
      { location },
    );
  }

  const issueOf = (ticket: Ticket) => {
    const [repository = '', number = ''] = ticket.key.split('#');
    return {
      id: Number(ticket.id),
      node_id: `I_${ticket.id}`,
      number: Number(number),
      url: `${origin()}/github/repos/${repository}/issues/${number}`,
      repository_url: `${origin()}/github/repos/${repository}`,
      html_url: `https://github.example/${repository}/issues/${number}`,
      title: ticket.title,
      body: ticket.body,
      state: ticket.status,
      state_reason: ticket.resolution,
      locked: ticket.locked,
      labels: ticket.labels.map((name) => ({ name })),
      assignees: ticket.assignee === null ? [] : [{ login: ticket.assignee }],
      user: { login: ticket.author, type: ticket.author === BOT.name ? 'Bot' : 'User' },
      created_at: isoOf(ticket.createdAt).replace(/\.\d+/, ''),
      updated_at: isoOf(ticket.updatedAt),
    };
  };

  const markerIn = (text: unknown): string | null =>
    /<!-- atlas-incident: ([a-z0-9-]+) -->\s*$/.exec(typeof text === 'string' ? text : '')?.[1] ?? null;

  function checked(input: Record<string, unknown>, creating: boolean): void {
    const title = textAt(input, 'title');
    if (creating && (title === undefined || title.trim() === '')) throw invalid('title', 'missing_field');
    if (title !== undefined && [...title].length > 256) throw invalid('title', 'custom');
    const text = textAt(input, 'body');
    if (text !== undefined && text.length > 65_536) throw invalid('body', 'custom');
    for (const label of textsAt(input, 'labels'))
      if (label.length > 50 || label === '') throw invalid('labels', 'invalid');
    if (textsAt(input, 'assignees').some((login) => !/^[a-z\d-]+$/i.test(login))) throw invalid('assignees', 'invalid');
  }

  function changed(ticket: Ticket, doing: Doing, before: Before, actor: Actor): void {
    const action = {
      assigned: 'assigned',
      unassigned: 'unassigned',
      edited: 'edited',
      closed: 'closed',
      reopened: 'reopened',
      deleted: 'deleted',
      moved: 'transferred',
      acknowledged: undefined,
      unacknowledged: undefined,
      commented: undefined,
    }[doing];
    if (!action) return;
    const [repository = ''] = (doing === 'moved' ? before.key : ticket.key).split('#');
    const issue = { ...issueOf(ticket), ...(doing === 'moved' && { number: Number(before.key.split('#')[1]) }) };
    const text = JSON.stringify({
      action,
      issue,
      repository: { full_name: repository },
      sender: { login: actor.name, type: actor.person ? 'User' : 'Bot' },
    });
    webhooks.emit('github', (key) => ({
      headers: {
        'X-Hub-Signature-256': `sha256=${hex(key, text)}`,
        'X-GitHub-Event': 'issues',
        'X-GitHub-Delivery': `delivery-${ticket.id}-${ticket.changes}`,
      },
      body: text,
    }));
  }

  const add = (repository: string, made: Partial<Ticket> & Pick<Ticket, 'title' | 'body'>): Ticket => {
    const number = (numbers.get(repository) ?? 0) + 1;
    numbers.set(repository, number);
    return tickets.add({
      id: String(900_000 + tickets.all.length),
      key: `${repository}#${number}`,
      status: 'open',
      ...made,
    });
  };

  const github: GitHub = {
    name: 'github',
    pushAccess: true,
    hasIssues: true,
    tickets,
    people: createPeople(tickets, {
      open: 'open',
      closed: 'closed',
      resolution: 'completed',
      wontFix: { status: 'closed', resolution: 'not_planned' },
      // A transfer gives the issue another number, and keeps its content.
      move(ticket) {
        const number = (numbers.get(AWAY) ?? 0) + 1;
        numbers.set(AWAY, number);
        ticket.extra['formerKeys'] = [...textsAt(ticket.extra, 'formerKeys'), ticket.key];
        ticket.key = `${AWAY}#${number}`;
      },
      changed,
    }),
    secrets: { 'tickets/github': token },
    destination: (at) => ({
      id: 'github',
      type: 'github',
      baseUrl: `${at}/github`,
      secret: 'tickets/github',
      webhookSecret: 'tickets/github-webhook',
      actor: BOT.name,
      repository: HOME,
      labels: ['atlas-alert'],
    }),
    refuse: (status) => refusal(status, status === 429 ? SECONDARY : `Refused with ${status}`).response,
    routes: [
      {
        operation: 'github.createIssue',
        method: 'POST',
        path: '/repos/:owner/:repo/issues',
        handle: guarded((received) => {
          const repository = repositoryIn(received);
          if (!github.hasIssues) throw refusal(410, 'Issues are disabled for this repo');
          const input = body(received);
          checked(input, true);
          const ticket = add(repository, {
            title: textAt(input, 'title') ?? '',
            body: textAt(input, 'body') ?? null,
            labels: github.pushAccess ? textsAt(input, 'labels') : [],
            assignee: github.pushAccess ? (textsAt(input, 'assignees')[0] ?? null) : null,
            incident: markerIn(input['body']),
          });
          return answer(201, issueOf(ticket));
        }, true),
      },
      {
        operation: 'github.listIssues',
        method: 'GET',
        path: '/repos/:owner/:repo/issues',
        handle: guarded((received) => {
          const repository = repositoryIn(received);
          const query = received.url.searchParams;
          const since = Date.parse(query.get('since') ?? '1970-01-01T00:00:00Z');
          const labels = query.get('labels')?.split(',') ?? [];
          const state = query.get('state') ?? 'open';
          const matching = tickets.present.filter(
            (ticket) =>
              ticket.key.startsWith(`${repository}#`) &&
              ticket.updatedAt >= since &&
              (state === 'all' || ticket.status === state) &&
              labels.every((label) => ticket.labels.includes(label)),
          );
          if (query.get('direction') !== 'asc') matching.reverse();
          const size = Math.min(100, Number(query.get('per_page') ?? 30));
          const start = (Number(query.get('page') ?? 1) - 1) * size;
          return answer(200, matching.slice(start, start + size).map(issueOf));
        }),
      },
      {
        operation: 'github.getIssue',
        method: 'GET',
        path: '/repos/:owner/:repo/issues/:number',
        handle: guarded((received) => answer(200, issueOf(theIssue(received)))),
      },
      {
        operation: 'github.updateIssue',
        method: 'PATCH',
        path: '/repos/:owner/:repo/issues/:number',
        handle: guarded((received) => {
          const ticket = theIssue(received);
          const input = body(received);
          checked(input, false);
          const state = textAt(input, 'state');
          const reason = textAt(input, 'state_reason');
          if (state !== undefined && !['open', 'closed'].includes(state)) throw invalid('state', 'invalid');
          if (reason !== undefined && !['completed', 'not_planned', 'duplicate', 'reopened'].includes(reason))
            throw invalid('state_reason', 'invalid');
          const before = { status: ticket.status, assignee: ticket.assignee, key: ticket.key };
          ticket.title = textAt(input, 'title') ?? ticket.title;
          ticket.body = textAt(input, 'body') ?? ticket.body;
          if (isObject(input) && Array.isArray(input['labels']) && github.pushAccess)
            ticket.labels = textsAt(input, 'labels');
          if (state !== undefined && state !== ticket.status) {
            ticket.status = state;
            ticket.resolution = state === 'closed' ? (reason ?? 'completed') : 'reopened';
          }
          tickets.touch(ticket);
          changed(
            ticket,
            before.status === ticket.status ? 'edited' : ticket.status === 'closed' ? 'closed' : 'reopened',
            before,
            BOT,
          );
          return answer(200, issueOf(ticket));
        }),
      },
      {
        operation: 'github.createComment',
        method: 'POST',
        path: '/repos/:owner/:repo/issues/:number/comments',
        handle: guarded((received) => {
          const ticket = theIssue(received);
          const text = textAt(body(received), 'body');
          if (!text?.trim()) throw invalid('body', 'missing_field');
          if (text.length > 65_536) throw invalid('body', 'custom');
          if (ticket.locked && !github.pushAccess)
            throw refusal(403, 'Unable to create comment because issue is locked.');
          const id = String(ticket.comments.length + 1);
          ticket.comments.push({ id, author: BOT.name, body: text, at: clock.now().getTime(), extra: {} });
          tickets.touch(ticket);
          return answer(201, { id: Number(id), body: text });
        }, true),
      },
      {
        operation: 'github.listComments',
        method: 'GET',
        path: '/repos/:owner/:repo/issues/:number/comments',
        handle: guarded((received) => {
          const size = Math.min(100, Number(received.url.searchParams.get('per_page') ?? 30));
          const start = (Number(received.url.searchParams.get('page') ?? 1) - 1) * size;
          const comments = theIssue(received).comments.map(({ id, body: text }) => ({ id: Number(id), body: text }));
          return answer(200, comments.slice(start, start + size));
        }),
      },
    ],
  };
  return github;
}
