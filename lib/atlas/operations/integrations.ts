import * as z from 'zod';
import { operation } from './define.ts';
import { GroupId, openEnum, PageQuery, page } from './shapes.ts';

/**
 * Where else Atlas reports to. Keys, tokens and addresses with tokens in them are left out on purpose, though Atlas
 * masks most of them.
 */
export const Integration = z.object({
  id: z.string().nullish(),
  type: openEnum(
    'PAGER_DUTY',
    'SLACK',
    'DATADOG',
    'NEW_RELIC',
    'OPS_GENIE',
    'VICTOR_OPS',
    'WEBHOOK',
    'HIP_CHAT',
    'PROMETHEUS',
    'MICROSOFT_TEAMS',
  ).nullish(),
  /** Of Datadog, Opsgenie and PagerDuty. */
  region: z.string().nullish(),
  /** Of Slack. */
  teamName: z.string().nullish(),
  channelName: z.string().nullish(),
  /** Of New Relic. */
  accountId: z.string().nullish(),
  /** Of Prometheus. */
  enabled: z.boolean().nullish(),
  serviceDiscovery: z.string().nullish(),
});

/** Role: Project Read Only. */
export const listGroupIntegrations = operation({
  id: 'listGroupIntegrations',
  summary: 'The third-party services a project reports to',
  method: 'GET',
  path: '/api/atlas/v2/groups/{groupId}/integrations',
  version: '2023-01-01',
  repeat: 'safe',
  params: z.strictObject({ groupId: GroupId }),
  query: PageQuery,
  response: page(Integration),
});
