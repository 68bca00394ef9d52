import { html, type Markup } from '../../../../lib/html/markup.ts';
import { counted } from '../../../../lib/html/time.ts';
import { action, brief, empty, longer, pageOf, table, tag, when } from './parts.ts';
import type { State } from './state.ts';

/** How many messages each list of the page has. */
const LISTED = 25;

export function queuePage({ host, formToken }: State): Markup {
  const { alertQueue, alertDeadLetters } = host.machine;
  const [waiting, dead, stranded] = [alertQueue.messages, alertDeadLetters.messages, host.events.stranded];
  const listed = (label: string, messages: typeof waiting): Markup =>
    html`<p>${counted(messages.length, 'message')}${messages.length > LISTED && `, the first ${LISTED} of them here`}</p>${table(
      label,
      ['Sent', 'Group', 'Handed out', 'Message'],
      messages
        .slice(0, LISTED)
        .map(({ sentAt, group, receives, body }) => [
          when(new Date(sentAt)),
          brief(group, 40),
          `${receives} ${receives === 1 ? 'time' : 'times'}`,
          brief(body, 160),
        ]),
    )}`;
  return html`<h2>Alerts that were given up</h2>
${
  dead.length === 0
    ? empty('None.')
    : html`${listed('Alerts that were given up', dead)}${action(formToken, '/queue/redrive', 'Put all of them back into the queue')}`
}
<h2>Events that were given up</h2>
${
  stranded.length === 0
    ? empty('None.')
    : html`<p>${counted(stranded.length, 'event')}${stranded.length > LISTED && `, the last ${LISTED} of them here`}</p>${table(
        'Events that were given up',
        ['Function', 'Why', 'Event', ''],
        stranded
          .slice(-LISTED)
          .map(({ id, lambda, why, event }) => [
            html`<a href="/functions/${lambda}">${lambda}</a>`,
            brief(why, 160),
            brief(JSON.stringify(event) ?? '–', 120),
            html`${action(formToken, '/queue/events/redrive', 'Try again', { id })} ${action(formToken, '/queue/events/dismiss', 'Seen', { id })}`,
          ]),
      )}`
}
<h2>Alerts on their way</h2>
${waiting.length === 0 ? empty('The queue is empty.') : listed('Alerts on their way', waiting)}`;
}

export function eventsPage({ host: { ledger } }: State, page: number): Markup {
  const { events } = ledger;
  if (events.length === 0) return empty('No event went over the bus yet.');
  const { items, links } = pageOf(events, page, '/events', 'event');
  return html`${table(
    'Events',
    ['When', 'Source', 'What', 'Detail'],
    items.map((event) => [
      when(new Date(event.time)),
      tag('none', event.source.slice(0, 40)),
      brief(event['detail-type'], 80),
      longer(JSON.stringify(event.detail), 100),
    ]),
  )}${links}`;
}
