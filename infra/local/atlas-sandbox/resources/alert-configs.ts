import { timestamp } from '../date.ts';
import { type Call, inGroup } from '../operation.ts';
import { paginate } from '../pagination.ts';
import { AtlasRefusal } from '../refusal.ts';
import type { AlertConfig } from '../state/alerts.ts';
import type { Project } from '../world.ts';

const common = { versions: ['2023-01-01'], endpointSet: 'alertConfigurations' } as const;

export const alertConfigOperations = [
  inGroup({
    ...common,
    operationId: 'listGroupAlertConfigs',
    method: 'GET',
    path: '/groups/{groupId}/alertConfigs',
    role: 'Project Read Only',
    handle: ({ world, url }, project) => ({
      status: 200,
      body: paginate(url, world.alerts.configs(project), (config) => inConfigList(config, url)),
    }),
  }),
  inGroup({
    ...common,
    operationId: 'getGroupAlertConfig',
    method: 'GET',
    path: '/groups/{groupId}/alertConfigs/{alertConfigId}',
    role: 'Project Read Only',
    handle(call, project) {
      const config = alertConfigOf(call, project, call.param('alertConfigId'));
      const self = address(config, call.url);
      return {
        status: 200,
        body: {
          ...inConfigList(config, call.url),
          links: [
            { href: self, rel: 'self' },
            { href: `${self}/alerts`, rel: 'https://cloud.mongodb.com/alerts' },
          ],
        },
      };
    },
  }),
];

/** A configuration of the project, or the refusal of an unknown one. */
export function alertConfigOf({ world }: Call, project: Project, id: string): AlertConfig {
  const config = world.alerts.findConfig(project, id);
  if (config) return config;
  const detail = `No alert configuration with ID ${id} exists in group ${project.id}.`;
  throw new AtlasRefusal(404, 'ALERT_CONFIG_NOT_FOUND', detail, [id, project.id]);
}

/** A configuration as lists show it. */
export function inConfigList(config: AlertConfig, url: URL): object {
  const { id, groupId, eventTypeName, enabled, notifications, createdAt, updatedAt, details } = config;
  return {
    created: timestamp(createdAt),
    enabled,
    eventTypeName,
    groupId,
    id,
    links: [{ href: address(config, url), rel: 'self' }],
    matchers: [],
    notifications,
    updated: timestamp(updatedAt),
    ...details,
  };
}

function address({ groupId, id }: AlertConfig, url: URL): string {
  return `${url.origin}/api/atlas/v2/groups/${groupId}/alertConfigs/${id}`;
}
