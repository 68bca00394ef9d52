import type { Destination } from './destination.ts';
import type { ParsedUpdate, UpdateRequest } from './tickets.ts';

/**
 * Reads a tracker's webhook to us. Checks its signature over the raw bytes, in constant time and before anything is
 * parsed, against each of `secrets` (the current one and, during a rotation, the previous one); no secrets refuse
 * everything. Never throws for what somebody sent.
 */
export async function parseUpdate(
  destination: Destination,
  request: UpdateRequest,
  secrets: readonly string[],
  now: Date,
): Promise<ParsedUpdate> {
  switch (destination.type) {
    case 'jira':
      return (await import('./updates/jira.ts')).parseJiraUpdate(destination, request, secrets);
    case 'github':
      return (await import('./updates/github.ts')).parseGitHubUpdate(destination, request, secrets);
    case 'servicenow':
      return (await import('./updates/servicenow.ts')).parseServiceNowUpdate(destination, request, secrets, now);
    case 'pagerduty':
      return (await import('./updates/pagerduty.ts')).parsePagerDutyUpdate(destination, request, secrets);
    case 'jsm-operations':
      return (await import('./updates/jsm-operations.ts')).parseJsmOperationsUpdate(destination, request, secrets, now);
    case 'linear':
      return (await import('./updates/linear.ts')).parseLinearUpdate(destination, request, secrets, now);
    case 'zendesk':
      return (await import('./updates/zendesk.ts')).parseZendeskUpdate(destination, request, secrets, now);
    case 'slack':
      return (await import('./updates/slack.ts')).parseSlackUpdate(destination, request, secrets, now);
    case 'webhook':
      return (await import('./updates/webhook.ts')).parseWebhookUpdate(destination, request, secrets, now);
  }
}
