import { createMovableClock, type MovableClock } from '../../../infra/local/clock.ts';
import { FaultPlan } from '../../../infra/local/faults.ts';
import { createTicketSandbox, type TicketSandbox } from '../../../infra/local/ticket-sandbox/sandbox.ts';
import type { Tracker } from '../../../infra/local/ticket-sandbox/tracker.ts';
import { type Deadline, deadlineIn } from '../../../lib/runtime/deadline.ts';
import { createTickets } from '../../../lib/tickets/create-tickets.ts';
import { Destination, type DestinationType } from '../../../lib/tickets/destination.ts';
import { facts, link, list, paragraph, type Text } from '../../../lib/tickets/text.ts';
import type { Note, TicketDraft, Tickets } from '../../../lib/tickets/tickets.ts';

export interface TicketWorld extends AsyncDisposable {
  readonly clock: MovableClock;
  readonly faults: FaultPlan;
  readonly sandbox: TicketSandbox;
  /** As secrets are kept: change one, and it is rotated. */
  readonly secrets: Record<string, string>;
  tracker(type: DestinationType): Tracker;
  destination(type: DestinationType, more?: Record<string, unknown>): Destination;
  tickets(type: DestinationType, more?: Record<string, unknown>): Promise<Tickets>;
}

/** Every ticket system on loopback, and adapters for them that live by the same clock. */
export async function startTicketWorld(limits?: Parameters<typeof createTicketSandbox>[0]): Promise<TicketWorld> {
  const clock = createMovableClock(new Date('2026-03-02T10:00:00Z'));
  const faults = new FaultPlan();
  const sandbox = createTicketSandbox({ clock, faults, ...limits });
  const served = await sandbox.listen();
  const secrets: Record<string, string> = { ...sandbox.secrets };
  const destination = (type: DestinationType, more: Record<string, unknown> = {}): Destination => {
    const settings = sandbox.destinations(served.origin).find((each) => each['type'] === type);
    return Destination.parse({ ...settings, ...more });
  };
  return {
    clock,
    faults,
    sandbox,
    secrets,
    destination,
    tracker(type) {
      const tracker = sandbox.trackers.find(({ name }) => name === type);
      if (!tracker) throw new TypeError(`no tracker ${type}`);
      return tracker;
    },
    tickets: (type, more) =>
      createTickets(destination(type, more), {
        clock,
        credentials: async (name) => {
          const value = secrets[name];
          if (value === undefined) throw new TypeError(`no secret ${name}`);
          return value;
        },
      }),
    [Symbol.asyncDispose]: () => served[Symbol.asyncDispose](),
  };
}

export const soon = (world: { clock: MovableClock }): Deadline => deadlineIn(15_000, world.clock);

let nth = 0;
export const newMarker = (): string => `mark${String(++nth).padStart(8, '0')}`;

export const body: Text = [
  paragraph('Disk space used is ', { text: '95.2 %', style: 'strong' }, '.'),
  facts({ Cluster: 'orders', Host: 'orders-shard-00-01.ab1cd.mongodb.net:27017' }),
  list([['shard 0'], ['shard 1']]),
  paragraph(link('Alert in Atlas', 'https://cloud.mongodb.com/v2/5f1b6e6b8f4b2c0001a1b2c3#/alerts')),
];

export const draft = (more: Partial<TicketDraft> = {}): TicketDraft => ({
  incident: newMarker(),
  title: 'Disk space on orders',
  body,
  severity: 'error',
  labels: ['cluster:orders'],
  ...more,
});

export const note = (text: string, more: Partial<Note> = {}): Note => ({
  marker: newMarker(),
  text: [paragraph(text)],
  repeated: false,
  ...more,
});

export const everyType: readonly DestinationType[] = [
  'jira',
  'github',
  'servicenow',
  'pagerduty',
  'jsm-operations',
  'linear',
  'zendesk',
  'slack',
  'webhook',
];

/** What makes a ticket in each tracker, as the fault plan calls it. */
export const opening: Readonly<Record<DestinationType, string>> = {
  jira: 'jira.createIssue',
  github: 'github.createIssue',
  servicenow: 'servicenow.createRecord',
  pagerduty: 'pagerduty.enqueue',
  'jsm-operations': 'jsm-operations.createAlert',
  linear: 'linear.graphql',
  zendesk: 'zendesk.createTicket',
  slack: 'slack.postMessage',
  webhook: 'webhook.receive',
};
