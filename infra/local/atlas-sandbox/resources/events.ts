import * as z from 'zod';
import { timestamp } from '../date.ts';
import { inGroup, inOrg } from '../operation.ts';
import { paginate } from '../pagination.ts';
import { AtlasRefusal } from '../refusal.ts';
import { invalidAttribute } from '../request-body.ts';
import { actorOf, type Event, type EventFilter } from '../state/events.ts';
import type { World } from '../world.ts';

const moment = z.iso
  .datetime({ offset: true })
  .transform((text) => new Date(text))
  .optional();
const dates = z.object({ minDate: moment, maxDate: moment });
const flag = z.enum(['true', 'false']).default('false');

export const eventOperations = [
  inGroup({
    operationId: 'listGroupEvents',
    method: 'GET',
    path: '/groups/{groupId}/events',
    versions: ['2023-01-01'],
    endpointSet: 'groupEvents',
    role: 'Project Read Only',
    handle: ({ world, url }, project) => ({ status: 200, body: page(world, url, project.id) }),
  }),
  inGroup({
    operationId: 'getGroupEvent',
    method: 'GET',
    path: '/groups/{groupId}/events/{eventId}',
    versions: ['2023-01-01'],
    endpointSet: 'groupEvents',
    role: 'Project Read Only',
    handle({ world, url, param }, project) {
      const id = param('eventId');
      const event = world.events.find(project.id, id);
      if (event) return { status: 200, body: view(event, world, url) };
      const detail = `No event with ID ${id} exists for group ${project.id}.`;
      throw new AtlasRefusal(404, 'EVENT_NOT_FOUND', detail, [id, project.id]);
    },
  }),
  inOrg({
    operationId: 'listOrgEvents',
    method: 'GET',
    path: '/orgs/{orgId}/events',
    versions: ['2023-01-01'],
    endpointSet: 'orgEvents',
    role: 'Organization Member',
    handle: ({ world, url }, org) => ({ status: 200, body: page(world, url, org.id) }),
  }),
];

/** Events are not counted unless asked for, and an uncounted list says it has none: 0 is what was recorded. */
function page(world: World, asked: URL, feedId: string): object {
  const url = new URL(asked);
  for (const name of ['includeCount', 'includeRaw']) {
    if (!url.searchParams.has(name)) url.searchParams.set(name, 'false');
  }
  const events = world.events.feed(feedId, filterOf(url.searchParams));
  return { totalCount: 0, ...paginate(url, events, (event) => view(event, world, url)) };
}

function filterOf(query: URLSearchParams): EventFilter {
  const parsed = dates.safeParse(Object.fromEntries(query));
  if (!parsed.success) throw invalidAttribute(String(parsed.error.issues[0]?.path[0]));
  const { minDate, maxDate } = parsed.data;
  const several = (name: string): string[] | undefined => (query.has(name) ? query.getAll(name) : undefined);
  const types = several('eventType');
  const excludedTypes = several('excludedEventType');
  const clusterNames = several('clusterNames');
  return {
    ...(types && { types }),
    ...(excludedTypes && { excludedTypes }),
    ...(clusterNames && { clusterNames }),
    ...(minDate && { from: minDate }),
    ...(maxDate && { until: maxDate }),
  };
}

function view(event: Event, world: World, url: URL): object {
  const { id, groupId, orgId, eventTypeName, createdAt, details } = event;
  const includeRaw = flag.safeParse(url.searchParams.get('includeRaw') ?? undefined);
  if (!includeRaw.success) throw invalidAttribute('includeRaw');
  return {
    ...actorOf(event),
    created: timestamp(createdAt),
    eventTypeName,
    ...(groupId !== undefined && { groupId }),
    id,
    isGlobalAdmin: false,
    // Events of an organization alone are linked below a project called null.
    links: [{ href: `${url.origin}/api/atlas/v2/groups/${groupId ?? null}/events/${id}`, rel: 'self' }],
    ...(orgId !== undefined && { orgId }),
    ...(includeRaw.data === 'true' && { raw: rawOf(event, world) }),
    ...details,
  };
}

/** The document behind the event, as far as it is described. */
function rawOf({ id, groupId, orgId, eventTypeName, createdAt, details }: Event, world: World): object {
  const project = groupId === undefined ? undefined : world.projects.get(groupId);
  const org = world.orgs.get(orgId ?? project?.orgId ?? '');
  return {
    _t: eventTypeName,
    ...('alertConfigId' in details && { alertConfigId: details['alertConfigId'] }),
    ...(project && { cid: project.id, gn: project.name }),
    cre: timestamp(createdAt),
    description: null,
    id,
    ...(org && { orgId: org.id, orgName: org.name }),
    severity: 'INFO',
  };
}
