import { type Part, shares } from '../../../../lib/html/charts.ts';
import { html, type Markup } from '../../../../lib/html/markup.ts';
import { counted, duration } from '../../../../lib/html/time.ts';
import { allWords, words } from '../../../../lib/html/untrusted.ts';
import { hostLines } from './function-pages.ts';
import { needsOf } from './needs.ts';
import { action, empty, table, tag, when } from './parts.ts';
import type { Audit, Migration, State, TicketView } from './state.ts';

const isOpen = ({ status }: TicketView): boolean => !/^(closed|done|resolved|solved|canceled|cancelled)$/i.test(status);

export function overviewPage(state: State, migrations: readonly Migration[]): Markup {
  const { host, audit, tickets } = state;
  const { byStatus = {} } = audit?.totals ?? {};
  const open = tickets.filter(isOpen);
  const needs = needsOf({
    functions: [...host.wiring.functions.keys()].map((lambda) => ({ lambda, error: state.lastRun(lambda)?.error })),
    secrets: state.secrets,
    migrations: migrations.map(({ runId, state: at, approval }) => ({
      runId,
      state: at,
      waitsForApproval: approval != null && at === 'READY',
    })),
    strandedEvents: host.events.stranded.length,
    deadAlerts: host.machine.alertDeadLetters.messages.length,
    backups: audit && {
      exitState: audit.exitState,
      failing: byStatus['FAIL'] ?? 0,
      unknown: byStatus['UNKNOWN'] ?? 0,
    },
    openTickets: open.length,
    untakenTickets: open.filter(({ assignee }) => assignee === null).length,
    now: host.machine.clock.now(),
  });
  return html`<p>${needs.length === 0 ? 'Nothing needs a person now.' : `${counted(needs.length, 'thing')} for a person to look at.`}</p>
<ul class="needs">${needs.map(
    ({ tone, kind, text, path }) => html`<li>${tag(tone, kind)}<a href="${path}">${words(text, 240)}</a></li>`,
  )}</ul>
<h2>Now</h2>
<dl class="facts">
<dt>Functions</dt><dd>${counted(host.wiring.functions.size, 'function')}, ${host.ledger.running} running</dd>
<dt>Queue</dt><dd>${counted(host.machine.alertQueue.messages.length, 'alert')} waiting, ${counted(host.events.waiting, 'event')} to be tried again</dd>
<dt>Tickets</dt><dd>${counted(open.length, 'ticket')} open</dd>
<dt>Migrations</dt><dd>${counted(migrations.length, 'migration')} known</dd>
</dl>
${hostLines(state)}`;
}

export function secretsPage({ secrets, host }: State): Markup {
  const now = host.machine.clock.now().getTime();
  const managed = new Set(host.wiring.rotations.map(({ secret }) => secret));
  const rows = secrets
    .filter(({ name, clientId }) => managed.has(name) || clientId !== undefined)
    .map(({ name, clientId, expiresAt, pending, stages, changedAt, nextRotation }) => {
      const left = expiresAt === undefined ? undefined : (expiresAt.getTime() - now) / 1_000;
      return [
        words(name, 80),
        clientId === undefined ? '–' : words(clientId, 40),
        left === undefined
          ? '–'
          : html`${when(expiresAt)} ${left <= 0 ? tag('fail', 'expired') : tag(left < 7 * 86_400 ? 'warn' : 'pass', duration(left))}`,
        pending ? tag('warn', 'rotation not finished') : stages.join(', '),
        when(changedAt),
        nextRotation ? when(nextRotation) : managed.has(name) ? '–' : html`<span class="quiet">not rotated</span>`,
      ];
    });
  if (rows.length === 0) return empty('There are no service accounts in Secrets Manager.');
  return html`<p class="quiet">Values are never shown. Rotation is what Secrets Manager does when it is due.</p>
${table('Secrets', ['Secret', 'Account', 'Expires', 'Stages', 'Changed', 'Next rotation'], rows)}`;
}

const TONES: Readonly<Record<string, Part['tone']>> = {
  FAIL: 'fail',
  UNKNOWN: 'unknown',
  WARN: 'warn',
  EXEMPT: 'exempt',
  PASS: 'pass',
};

export function backupsPage(audit: Audit | undefined, hasReport: boolean): Markup {
  if (!audit && !hasReport) return empty('No audit has ended since this local host was started.');
  const parts = Object.entries(audit?.totals.byStatus ?? {}).map(([name, value]) => ({
    name,
    value,
    tone: TONES[name] ?? 'none',
  }));
  return html`${
    audit &&
    html`<p>The last audit is ${tag(audit.exitState === 'complete' ? 'pass' : 'unknown', audit.exitState)}: ${parts
      .filter(({ value }) => value > 0)
      .map(({ name, value }) => `${value} ${name}`)
      .join(', ')}.</p>${shares(parts)}`
  }
${
  hasReport &&
  html`<p><a href="/backups/report">The whole report</a>, on a page of its own</p>
<iframe src="/backups/report" title="The report of the last audit" sandbox="allow-scripts"></iframe>`
}`;
}

export function migrationsPage({ host, migrationsUnread }: State, migrations: readonly Migration[]): Markup {
  if (!host.wiring.functions.has('command-live-migration')) return empty('The settings deploy no live migrations.');
  if (migrationsUnread)
    return html`<p class="problem">Where the migrations stand could not be read: see <a href="/functions/command-live-migration">command-live-migration</a>.</p>`;
  if (migrations.length === 0)
    return html`${empty('There is no migration. Plan one with command-live-migration.')}
<p><a href="/functions/command-live-migration">Plan, start or approve one</a></p>`;
  return html`${table(
    'Migrations',
    ['Migration', 'State', 'Why', 'Approval'],
    migrations.map(({ runId, state, reason, approval }) => [
      words(runId),
      tag('exempt', state),
      allWords(reason, 160),
      approval == null ? '–' : html`asked for: <code>${approval.approvalId}</code>`,
    ]),
  )}<p><a href="/functions/command-live-migration">Decide</a></p>`;
}

export function ticketsPage({ tickets, host }: State): Markup {
  if (tickets.length === 0)
    return empty(
      host.wiring.functions.has('deliver-tickets')
        ? 'No ticket was opened since this local host was started.'
        : 'The settings deploy no ticket destination.',
    );
  return html`<p class="quiet">In the ticket sandbox on this machine; one ticket is one incident.</p>
${table(
  'Tickets',
  ['Ticket', 'Title', 'Status', 'Has it', 'Comments', 'Changed'],
  tickets
    .slice(0, 200)
    .map((ticket) => [
      html`<code>${words(`${ticket.tracker} ${ticket.key}`)}</code>`,
      words(ticket.title, 160),
      tag(isOpen(ticket) ? 'warn' : 'pass', ticket.status),
      ticket.assignee === null ? html`<span class="quiet">nobody</span>` : words(ticket.assignee),
      ticket.comments.length,
      when(new Date(ticket.updatedAt)),
    ]),
)}`;
}

/** How many messages a page lists. */
const LISTED = 100;

export function queuePage({ host }: State): Markup {
  const { alertQueue, alertDeadLetters } = host.machine;
  const [waiting, dead, stranded] = [alertQueue.messages, alertDeadLetters.messages, host.events.stranded];
  const listed = (label: string, messages: typeof waiting): Markup =>
    table(
      label,
      ['Sent', 'Group', 'Handed out', 'Message'],
      messages
        .slice(0, LISTED)
        .map(({ sentAt, group, receives, body }) => [
          when(new Date(sentAt)),
          words(group, 40),
          receives,
          words(body, 120),
        ]),
    );
  return html`<h2>Alerts on their way</h2>
${waiting.length === 0 ? empty('The queue is empty.') : html`<p>${counted(waiting.length, 'message')}</p>${listed('Alerts on their way', waiting)}`}
<h2>Alerts that were given up</h2>
${
  dead.length === 0
    ? empty('None.')
    : html`<p>${counted(dead.length, 'message')}</p>${listed('Alerts that were given up', dead)}${action('/queue/redrive', 'Put all of them back into the queue')}`
}
<h2>Events that were given up</h2>
${
  stranded.length === 0
    ? empty('None.')
    : table(
        'Events that were given up',
        ['Function', 'Why', 'Event', ''],
        stranded
          .slice(-LISTED)
          .map(({ id, lambda, why, event }) => [
            html`<a href="/functions/${lambda}">${lambda}</a>`,
            words(why, 160),
            words(JSON.stringify(event), 120),
            html`${action('/queue/events/redrive', 'Try again', { id })} ${action('/queue/events/dismiss', 'Seen', { id })}`,
          ]),
      )
}`;
}

export function eventsPage({ host: { ledger } }: State): Markup {
  const { events } = ledger;
  if (events.length === 0) return empty('No event went over the bus since this local host was started.');
  return table(
    'Events',
    ['When', 'Source', 'What', 'Detail'],
    events.map((event) => [
      when(new Date(event.time)),
      words(event.source, 40),
      words(event['detail-type'], 80),
      allWords(JSON.stringify(event.detail), 160),
    ]),
  );
}
