import * as z from 'zod';
import { operation } from './define.ts';
import { GroupId, Instant, idOf, Long, ObjectId, openEnum, PageQuery, page } from './shapes.ts';

const limit = z.object({
  operator: openEnum('GREATER_THAN', 'LESS_THAN').nullish(),
  threshold: Long.nullish(),
  units: z.string().nullish(),
});

/**
 * What raises an alert, and who hears of it. Of a notification, keys, secrets and addresses that may carry one (a
 * webhook's URL) are left out on purpose: nothing here needs them, and what is not read can't be logged.
 */
export const AlertConfig = z.object({
  id: ObjectId,
  groupId: ObjectId.nullish(),
  eventTypeName: z.string().nullish(),
  enabled: z.boolean().nullish(),
  created: Instant.nullish(),
  updated: Instant.nullish(),
  /** Only where somebody set one; otherwise the severity is the event type's own. */
  severityOverride: openEnum('INFO', 'WARNING', 'ERROR', 'CRITICAL').nullish(),
  matchers: z
    .array(
      z.object({
        fieldName: z.string().nullish(),
        operator: openEnum(
          'EQUALS',
          'NOT_EQUALS',
          'CONTAINS',
          'NOT_CONTAINS',
          'STARTS_WITH',
          'ENDS_WITH',
          'REGEX',
        ).nullish(),
        value: z.string().nullish(),
      }),
    )
    .nullish(),
  metricThreshold: limit.extend({ metricName: z.string().nullish(), mode: openEnum('AVERAGE').nullish() }).nullish(),
  threshold: limit.nullish(),
  notifications: z
    .array(
      z.object({
        typeName: openEnum(
          'DATADOG',
          'EMAIL',
          'GROUP',
          'HIP_CHAT',
          'MICROSOFT_TEAMS',
          'OPS_GENIE',
          'ORG',
          'PAGER_DUTY',
          'SLACK',
          'SMS',
          'TEAM',
          'USER',
          'VICTOR_OPS',
          'WEBHOOK',
        ).nullish(),
        notifierId: z.string().nullish(),
        integrationId: z.string().nullish(),
        delayMin: Long.nullish(),
        intervalMin: Long.nullish(),
        emailEnabled: z.boolean().nullish(),
        smsEnabled: z.boolean().nullish(),
        emailAddress: z.string().nullish(),
        username: z.string().nullish(),
        roles: z.array(z.string()).nullish(),
        teamId: z.string().nullish(),
        teamName: z.string().nullish(),
        channelName: z.string().nullish(),
      }),
    )
    .nullish(),
});
export type AlertConfig = z.output<typeof AlertConfig>;

const group = z.strictObject({ groupId: GroupId });

/** Up to 500 in a project. Role: Project Read Only. */
export const listGroupAlertConfigs = operation({
  id: 'listGroupAlertConfigs',
  summary: 'The alert configurations of a project',
  method: 'GET',
  path: '/api/atlas/v2/groups/{groupId}/alertConfigs',
  version: '2023-01-01',
  repeat: 'safe',
  params: group,
  query: PageQuery,
  response: page(AlertConfig),
});

/** The way from an alert to its severity: an alert carries only `alertConfigId`. Role: Project Read Only. */
export const getGroupAlertConfig = operation({
  id: 'getGroupAlertConfig',
  summary: 'One alert configuration of a project',
  method: 'GET',
  path: '/api/atlas/v2/groups/{groupId}/alertConfigs/{alertConfigId}',
  version: '2023-01-01',
  repeat: 'safe',
  params: group.extend({ alertConfigId: idOf('the alert configuration’s id') }),
  response: AlertConfig,
});

/** A list, although the API calls it "get". Role: Project Read Only. */
export const getGroupAlertAlertConfigs = operation({
  id: 'getGroupAlertAlertConfigs',
  summary: 'The alert configurations that raised one alert',
  method: 'GET',
  path: '/api/atlas/v2/groups/{groupId}/alerts/{alertId}/alertConfigs',
  version: '2023-01-01',
  repeat: 'safe',
  params: group.extend({ alertId: idOf('the alert’s id') }),
  query: PageQuery,
  response: page(AlertConfig),
});
