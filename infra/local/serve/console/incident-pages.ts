import { html, type Markup } from '../../../../lib/html/markup.ts';
import { counted } from '../../../../lib/html/time.ts';
import { countsOf, type Decision, type Incident } from './incidents.ts';
import { brief, empty, longer, pageOf, table, tag, when } from './parts.ts';
import { isOpen, type State, type TicketView } from './state.ts';

const linkTo = ({ destination, key }: Incident): string =>
  `/tickets/incident?${new URLSearchParams({ destination, key }).toString()}`;

const nameOf = ({ scope, members }: Incident): string =>
  scope.title ?? scope.cluster ?? Object.values(members)[0]?.type ?? 'alerts of no cluster';

const stateOf = (incident: Incident): Markup => {
  if (incident.dead) return tag('fail', 'given up');
  if (incident.trouble) return tag('warn', 'delayed');
  const { open } = countsOf(incident);
  return open > 0 ? tag('warn', 'open') : tag('pass', 'over');
};

export async function ticketsPage(state: State, page: number): Promise<Markup> {
  const { host, incidents: reader, tickets } = state;
  if (!host.wiring.functions.has('deliver-tickets')) return empty('The settings deploy no ticket destination.');
  const { incidents, isWhole } = await reader.all();
  const { items, links } = pageOf(incidents, page, '/tickets', 'incident');
  const known = new Set(incidents.flatMap(({ ticket }) => ticket?.ref.key ?? []));
  const others = tickets.filter(({ key }) => !known.has(key));
  return html`<p class="quiet">One incident is one group of alerts at one destination, and has one ticket.</p>
${
  incidents.length === 0
    ? empty('No alert came in yet.')
    : html`${!isWhole && html`<p>Only ${counted(incidents.length, 'incident')} are listed.</p>`}${table(
        'Incidents',
        ['Incident', 'State', 'Alerts', 'Ticket', 'Has it', 'First heard'],
        items.map((incident) => {
          const { open, all } = countsOf(incident);
          return [
            html`<a href="${linkTo(incident)}">${brief(nameOf(incident), 80)}</a>`,
            stateOf(incident),
            `${open} open of ${all}`,
            incident.ticket
              ? html`<code>${brief(`${incident.destination} ${incident.ticket.ref.key}`, 60)}</code> ${incident.ticket.state}`
              : html`<span class="quiet">none yet</span>`,
            brief(incident.taken?.by ?? '–', 60),
            when(new Date(incident.firstHeardAt)),
          ];
        }),
      )}${links}`
}
${others.length > 0 && html`<h2>Other tickets in the ticket sandbox</h2>${ticketTable(others)}`}`;
}

const ticketTable = (tickets: readonly TicketView[]): Markup =>
  table(
    'Tickets',
    ['Ticket', 'Title', 'Status', 'Has it', 'Changed'],
    tickets
      .slice(0, 50)
      .map((ticket) => [
        html`<code>${brief(`${ticket.tracker} ${ticket.key}`, 60)}</code>`,
        brief(ticket.title, 160),
        tag(isOpen(ticket) ? 'warn' : 'pass', ticket.status.slice(0, 40)),
        ticket.assignee === null ? html`<span class="quiet">nobody</span>` : brief(ticket.assignee),
        when(new Date(ticket.updatedAt)),
      ]),
  );

export function incidentPage(state: State, incident: Incident, trail: readonly Decision[]): Markup {
  const { open, all } = countsOf(incident);
  const ticket = state.tickets.find(
    ({ key, id }) => key === incident.ticket?.ref.key || id === incident.ticket?.ref.id,
  );
  return html`<p>${stateOf(incident)} ${open} of ${counted(all, 'alert')} open${incident.late && '; found by looking, not because Atlas told of it'}${incident.taken && html`; taken by ${brief(incident.taken.by ?? 'somebody', 60)}`}</p>
${incident.dead && html`<p class="problem">Given up: <code>${incident.dead.code}</code>. <a href="/functions/reconcile-alerts">Run it again with redrive</a>.</p>`}
<h2>Ticket</h2>
${
  incident.ticket
    ? html`<dl class="facts"><dt>Key</dt><dd><code>${brief(incident.ticket.ref.key, 80)}</code> at ${brief(incident.destination, 60)}</dd>
<dt>State</dt><dd>${incident.ticket.state}${incident.ticket.closedBy !== undefined && `, closed by ${incident.ticket.closedBy}`}</dd>
<dt>Opened</dt><dd>${when(new Date(incident.ticket.openedAt))}</dd>
<dt>Closed</dt><dd>${when(incident.ticket.closedAt === undefined ? undefined : new Date(incident.ticket.closedAt))}</dd>
<dt>Address</dt><dd>${brief(incident.ticket.ref.url || '–', 200)}</dd>
${ticket && html`<dt>Title</dt><dd>${brief(ticket.title, 300)}</dd><dt>Comments</dt><dd>${ticket.comments.length}</dd>`}</dl>`
    : empty('It has none yet.')
}
<h2>Alerts in it</h2>
${table(
  'Alerts',
  ['Alert', 'State', 'Severity', 'Host', 'Began', 'Over'],
  Object.entries(incident.members)
    .slice(0, 100)
    .map(([id, member]) => [
      html`${brief(member.type, 80)} <span class="quiet small"><code>${brief(id, 40)}</code></span>`,
      tag(member.state === 'open' ? 'warn' : 'pass', member.state),
      member.severity,
      brief(member.host ?? '–', 80),
      when(new Date(member.createdAt)),
      when(member.overAt === undefined ? undefined : new Date(member.overAt)),
    ]),
)}
${all > 100 && html`<p class="quiet">And ${all - 100} more.</p>`}
<h2>From the webhook to the ticket</h2>
${
  trail.length === 0
    ? empty('No decision is written down.')
    : table(
        'Audit trail',
        ['When', 'Decision', 'Why', 'Alert'],
        trail.map(({ at, decision, reason, alert, count }) => [
          when(new Date(at)),
          html`${brief(decision, 80)}${count !== undefined && ` (${count} times)`}`,
          longer(reason || '–', 160),
          alert === undefined ? '–' : html`<code>${brief(alert, 40)}</code>`,
        ]),
      )
}`;
}

export const incidentTitle = (incident: Incident): string => nameOf(incident);
