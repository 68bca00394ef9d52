import { html, type Markup } from '../../../../lib/html/markup.ts';
import { counted } from '../../../../lib/html/time.ts';
import { hostLines } from './function-pages.ts';
import { type Migration, waitsForApproval } from './migrations.ts';
import { needsOf } from './needs.ts';
import { brief, tag } from './parts.ts';
import { isOpen, type State } from './state.ts';

/** How many needs the page lists. */
const LISTED = 40;

export function overviewPage(state: State, migrations: readonly Migration[]): Markup {
  const { host, audits, tickets } = state;
  const audit = audits.known[0];
  const { byStatus = {} } = audit?.totals ?? {};
  const open = tickets.filter(isOpen);
  const needs = needsOf({
    troubles: host.troubles,
    functions: [...host.wiring.functions.keys()].map((lambda) => ({ lambda, error: state.lastRun(lambda)?.error })),
    secrets: state.secrets,
    migrations: migrations.map((migration) => ({
      runId: migration.runId,
      name: migration.destination?.clusterName ?? migration.runId,
      state: migration.state,
      waitsForApproval: waitsForApproval(migration),
    })),
    strandedEvents: host.events.stranded.length,
    deadAlerts: host.machine.alertDeadLetters.messages.length,
    backups: audit && {
      exitState: audit.exitState,
      failing: byStatus['FAIL'] ?? 0,
      unknown: byStatus['UNKNOWN'] ?? 0,
    },
    untakenTickets: open.filter(({ assignee }) => assignee === null).length,
    now: state.now,
  });
  const quiet = [
    host.machine.alertDeadLetters.messages.length === 0 && 'No alert was given up.',
    state.secrets.length > 0 &&
      needs.every(({ path }) => path !== '/secrets') &&
      'Every secret is good for a week or more.',
    audit?.exitState === 'complete' && !byStatus['FAIL'] && 'Every backup is as the policy asks.',
  ].filter((text) => text !== false);
  return html`${
    !audits.isRead || !state.migrations.isRead
      ? html`<p class="lead">${needs.length === 0 ? 'Nothing so far needs a person' : `${counted(needs.length, 'thing')} for a person to look at`}; backups and migrations are still being read.</p>`
      : needs.length === 0
        ? html`<p class="all-well">${tag('pass', 'all well')} Nothing needs a person now.</p>`
        : html`<p class="lead">${counted(needs.length, 'thing')} for a person to look at, the worst first.</p>`
  }
<ul class="needs">${needs
    .slice(0, LISTED)
    .map(
      ({ tone, kind, text, path }) => html`<li>${tag(tone, kind)}<a href="${path}">${brief(text, 240)}</a></li>`,
    )}</ul>
${needs.length > LISTED && html`<p class="quiet">And ${needs.length - LISTED} more, on their pages.</p>`}
${quiet.length > 0 && html`<p class="quiet">${quiet.join(' ')}</p>`}
<h2>Now</h2>
<ul class="tiles">
${tile('/functions', host.wiring.functions.size, 'functions', `${host.ledger.running} running`)}
${tile('/queue', host.machine.alertQueue.messages.length, 'alerts waiting', `${counted(host.events.waiting, 'event')} to be tried again`)}
${tile('/tickets', open.length, 'tickets open', `${tickets.length} in all`)}
${tile('/migrations', migrations.length, migrations.length === 1 ? 'migration' : 'migrations', `${migrations.filter(waitsForApproval).length} to decide`)}
${tile('/secrets', state.secrets.length, 'accounts', `${state.secrets.filter(({ isManaged }) => isManaged).length} rotated`)}
${tile('/backups', audit?.coverage.clusters ?? 0, 'clusters audited', audit ? `score ${Math.round(audit.totals.score)} of 100` : audits.isRead ? 'no audit yet' : 'being read')}
</ul>
${hostLines(state)}`;
}

const tile = (to: string, value: number, what: string, more: string): Markup =>
  html`<li><a href="${to}"><b>${value}</b> ${what}<span class="quiet small">${more}</span></a></li>`;
