import type { Clock } from '../runtime/clock.ts';
import type { Deadline } from '../runtime/deadline.ts';
import type { Destination } from './destination.ts';
import type { Transport } from './http.ts';
import type { Tickets } from './tickets.ts';

/** What every ticket system needs from outside. */
export interface TicketServices {
  /** The current value of a secret by its name. Asked once, and again when the tracker refuses the one it has. */
  readonly credentials: (secret: string, deadline: Deadline) => Promise<string>;
  readonly transport?: Transport;
  readonly clock?: Clock;
}

/** The tickets of one destination. Loads that system's code only; safe to share between concurrent callers. */
export async function createTickets(destination: Destination, services: TicketServices): Promise<Tickets> {
  switch (destination.type) {
    case 'jira':
      return (await import('./systems/jira.ts')).createJira(destination, services);
    case 'github':
      return (await import('./systems/github.ts')).createGitHub(destination, services);
    case 'servicenow':
      return (await import('./systems/servicenow.ts')).createServiceNow(destination, services);
    case 'pagerduty':
      return (await import('./systems/pagerduty.ts')).createPagerDuty(destination, services);
    case 'jsm-operations':
      return (await import('./systems/jsm-operations.ts')).createJsmOperations(destination, services);
    case 'linear':
      return (await import('./systems/linear.ts')).createLinear(destination, services);
    case 'zendesk':
      return (await import('./systems/zendesk.ts')).createZendesk(destination, services);
    case 'slack':
      return (await import('./systems/slack.ts')).createSlack(destination, services);
    case 'webhook':
      return (await import('./systems/webhook.ts')).createWebhook(destination, services);
  }
}
