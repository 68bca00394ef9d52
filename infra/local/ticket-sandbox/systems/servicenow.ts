import { createHash } from 'node:crypto';
import type { Received } from '../../atlas-sandbox/received.ts';
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
  type Ticket,
  Tickets,
  type Tracker,
} from '../tracker.ts';
import { standardSigned } from './receiver.ts';

export interface ServiceNow extends Tracker {
  /** Fields that queries may not use: left out of them in silence, as the platform does by default. */
  readonly hiddenFromQueries: Set<string>;
}

const STATES: Readonly<Record<string, string>> = {
  1: 'New',
  2: 'In Progress',
  3: 'On Hold',
  6: 'Resolved',
  7: 'Closed',
  8: 'Canceled',
};
const WRITABLE = new Set([
  'short_description',
  'description',
  'urgency',
  'impact',
  'assignment_group',
  'assigned_to',
  'correlation_id',
  'correlation_display',
  'work_notes',
  'comments',
  'state',
  'close_code',
  'close_notes',
  'parent_incident',
  'category',
]);

/** ServiceNow's Table API over one table. Sources: servicenow.com/docs (c_TableAPI, inbound REST API rate limiting). */
export function createServiceNow({ seed, clock, webhooks, limits, durable }: Context): ServiceNow {
  const tickets = new Tickets(clock, durable);
  const secret = { username: 'atlas.bridge', password: `snow-${seed}` };
  const proof = `Basic ${Buffer.from(`${secret.username}:${secret.password}`).toString('base64')}`;
  const limit = limits['servicenow'] === false ? undefined : (limits['servicenow'] ?? { calls: 500, seconds: 3_600 });
  const hourly = createLimiter(clock, limit);

  const refusal = (
    status: number,
    message: string,
    detail = '',
    headers: Record<string, string> = {},
  ): TrackerRefusal => new TrackerRefusal(status, { error: { message, detail }, status: 'failure' }, headers);
  const guarded =
    (handle: (received: Received) => Response) =>
    (received: Received): Response => {
      if (received.headers.get('authorization') !== proof)
        throw refusal(401, 'User Not Authenticated', 'Required to provide Auth information');
      const taken = hourly(secret.username);
      const headers = {
        'X-RateLimit-Limit': String(limit?.calls ?? 0),
        'X-RateLimit-Reset': String(Math.ceil(taken.resetAt / 1_000)),
        'X-RateLimit-Rule': 'atlas',
      };
      if (!taken.allowed)
        throw refusal(429, 'Rate limit exceeded', '', { ...headers, 'Retry-After': String(taken.waitSeconds) });
      if (received.params['table'] && received.params['table'] !== 'incident')
        throw refusal(400, `Invalid table ${received.params['table']}`);
      return handle(received);
    };

  const fieldsOf = (ticket: Ticket): Record<string, string> => ({
    ...Object.fromEntries(Object.entries(ticket.extra).map(([name, value]) => [name, String(value)])),
    sys_id: ticket.id,
    number: ticket.key,
    short_description: ticket.title,
    description: String(ticket.body ?? ''),
    state: ticket.status,
    close_code: ticket.resolution ?? '',
    correlation_id: ticket.incident ?? '',
    assigned_to: ticket.assignee === null ? '' : `user-${ticket.assignee}`,
    active: String(!['7', '8'].includes(ticket.status)),
    sys_mod_count: String(ticket.changes),
    sys_created_on: stamp(ticket.createdAt),
    sys_updated_on: stamp(ticket.updatedAt),
  });
  const shown = (ticket: Ticket, name: string, value: string): string => {
    if (name === 'state') return STATES[value] ?? value;
    if (name === 'assigned_to') return ticket.assignee ?? '';
    return value;
  };
  const view = (ticket: Ticket, query: URLSearchParams): Record<string, unknown> => {
    const wanted = query.get('sysparm_fields')?.split(',');
    const entries = Object.entries(fieldsOf(ticket)).filter(([name]) => !wanted || wanted.includes(name));
    const all = query.get('sysparm_display_value') === 'all';
    return Object.fromEntries(
      entries.map(([name, value]) => [name, all ? { value, display_value: shown(ticket, name, value) } : value]),
    );
  };

  const theRecord = ({ params }: Received): Ticket => {
    const ticket = tickets.find(params['id'] ?? '');
    if (!ticket || ticket.deleted)
      throw refusal(404, 'No Record found', "Record doesn't exist or ACL restricts the record retrieval");
    return ticket;
  };
  const body = (received: Received): Record<string, unknown> =>
    jsonOf(received, (status) => refusal(status === 415 ? 415 : 400, 'Exception while reading request'));

  function apply(ticket: Ticket, input: Record<string, unknown>): void {
    for (const [name, raw] of Object.entries(input)) {
      // What the table does not have is taken in silence and kept nowhere.
      if (!WRITABLE.has(name) || typeof raw !== 'string') continue;
      if (name === 'short_description') ticket.title = raw.slice(0, 160);
      else if (name === 'description') ticket.body = raw.slice(0, 4_000);
      else if (name === 'state') ticket.status = raw;
      else if (name === 'close_code') ticket.resolution = raw;
      else if (name === 'correlation_id') ticket.incident = raw;
      else if (name === 'assigned_to') ticket.assignee = raw === '' ? null : raw;
      else if (name === 'work_notes' || name === 'comments')
        ticket.comments.push({
          id: `j${ticket.comments.length}`,
          author: BOT.name,
          body: raw,
          at: clock.now().getTime(),
          extra: { element: name },
        });
      else ticket.extra[name] = raw;
    }
  }

  function changed(ticket: Ticket, doing: Doing, _: Before, actor: Actor): void {
    // The business rule that customers add posts what people do, and nothing else.
    if (!actor.person || doing === 'commented' || doing === 'moved') return;
    const text = JSON.stringify({
      type: `ticket.${doing}`,
      timestamp: isoOf(clock.now().getTime()),
      data: { incident: ticket.incident, ticket: { id: ticket.id, key: ticket.key }, by: actor.name, actor: actor.id },
    });
    webhooks.emit('servicenow', (key) => standardSigned(key, `${ticket.id}-${ticket.changes}`, clock.now(), text));
  }

  const servicenow: ServiceNow = {
    name: 'servicenow',
    hiddenFromQueries: new Set(),
    tickets,
    people: createPeople(tickets, {
      open: '1',
      closed: '6',
      resolution: 'Solution provided',
      wontFix: { status: '8', resolution: 'Not solved' },
      changed,
    }),
    secrets: { 'tickets/servicenow': JSON.stringify(secret) },
    destination: (at) => ({
      id: 'servicenow',
      type: 'servicenow',
      baseUrl: `${at}/servicenow`,
      secret: 'tickets/servicenow',
      webhookSecret: 'tickets/servicenow-webhook',
      actor: BOT.id,
    }),
    refuse: (status) => refusal(status, `Refused with ${status}`).response,
    routes: [
      {
        operation: 'servicenow.listNotes',
        method: 'GET',
        path: '/api/now/v2/table/sys_journal_field',
        handle: guarded((received) => {
          const conditions = (received.url.searchParams.get('sysparm_query') ?? '').split('^');
          const equal = (name: string): string | undefined =>
            conditions.find((each) => each.startsWith(`${name}=`))?.slice(name.length + 1);
          const like = conditions.find((each) => each.startsWith('valueLIKE'))?.slice('valueLIKE'.length);
          const result = tickets.present
            .filter(({ id }) => equal('element_id') === undefined || id === equal('element_id'))
            .flatMap(({ id, comments }) => comments.map((comment) => ({ element_id: id, value: String(comment.body) })))
            .filter(({ value }) => like === undefined || value.includes(like));
          return answer(200, { result });
        }),
      },
      {
        operation: 'servicenow.createRecord',
        method: 'POST',
        path: '/api/now/v2/table/:table',
        handle: guarded((received) => {
          const input = body(received);
          const number = tickets.all.length + 1;
          const ticket = tickets.add({
            id: createHash('md5').update(`${seed}/${number}`).digest('hex'),
            key: `INC${String(10_000 + number).padStart(7, '0')}`,
            title: '',
            body: '',
            status: '1',
          });
          apply(ticket, input);
          return answer(
            201,
            { result: view(ticket, received.url.searchParams) },
            { Location: `${received.url.pathname}/${ticket.id}` },
          );
        }),
      },
      {
        operation: 'servicenow.findRecords',
        method: 'GET',
        path: '/api/now/v2/table/:table',
        handle: guarded((received) => {
          const query = received.url.searchParams;
          const conditions = (query.get('sysparm_query') ?? '')
            .split('^')
            .filter((each) => /^[a-z_]+=/.test(each))
            .map((each): [string, string] => [each.slice(0, each.indexOf('=')), each.slice(each.indexOf('=') + 1)])
            // A condition on a field that is not there, or not ours to see, does not count.
            .filter(([name]) => name in fieldsOf(tickets.all[0] ?? sample) && !servicenow.hiddenFromQueries.has(name));
          const found = tickets.present.filter((ticket) =>
            conditions.every(([name, value]) => fieldsOf(ticket)[name] === value),
          );
          const max = Number(query.get('sysparm_limit') ?? 10_000);
          return answer(200, { result: found.slice(0, max).map((ticket) => view(ticket, query)) });
        }),
      },
      {
        operation: 'servicenow.getRecord',
        method: 'GET',
        path: '/api/now/v2/table/:table/:id',
        handle: guarded((received) => answer(200, { result: view(theRecord(received), received.url.searchParams) })),
      },
      {
        operation: 'servicenow.updateRecord',
        method: 'PATCH',
        path: '/api/now/v2/table/:table/:id',
        handle: guarded((received) => {
          const ticket = theRecord(received);
          const input = body(received);
          const state = input['state'];
          const closedForGood = ticket.status === '7' || ticket.status === '8';
          if (closedForGood && state !== undefined && state !== ticket.status)
            throw refusal(
              403,
              'Operation Failed',
              'Operation against file incident was aborted by Business Rule: closed records stay closed',
            );
          if (state === '6' && (!input['close_code'] || !input['close_notes']))
            throw refusal(
              403,
              'Operation Failed',
              'Data Policy Exception: The following fields are mandatory: Resolution code, Resolution notes',
            );
          apply(ticket, input);
          tickets.touch(ticket);
          return answer(200, { result: view(ticket, received.url.searchParams) });
        }),
      },
    ],
  };
  return servicenow;
}

const sample: Ticket = {
  id: '',
  key: '',
  title: '',
  body: '',
  status: '',
  resolution: null,
  severity: null,
  labels: [],
  assignee: null,
  incident: null,
  author: '',
  comments: [],
  links: [],
  createdAt: 0,
  updatedAt: 0,
  changes: 0,
  deleted: false,
  locked: false,
  extra: {},
};

const stamp = (ms: number): string => isoOf(ms).slice(0, 19).replace('T', ' ');
