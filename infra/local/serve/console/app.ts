import { Hono } from 'hono';
import { html, type Markup } from '../../../../lib/html/markup.ts';
import type { TicketSandbox } from '../../ticket-sandbox/sandbox.ts';
import type { Host } from '../host.ts';
import { createAccess, formTokenOf } from './access.ts';
import { addActions } from './actions.ts';
import { backupsPage } from './backups-page.ts';
import { functionPage, functionsPage } from './function-pages.ts';
import { incidentPage, incidentTitle, ticketsPage } from './incident-pages.ts';
import { live } from './live.ts';
import { migrationPage, migrationsPage } from './migration-pages.ts';
import { overviewPage } from './overview-page.ts';
import { eventsPage, queuePage } from './queue-page.ts';
import { secretsPage } from './secrets-page.ts';
import { POLICY, shell } from './shell.ts';
import { State } from './state.ts';

export interface ConsoleOptions {
  readonly host: Host;
  readonly tickets: TicketSandbox;
  readonly token: string;
  readonly origin: string;
  readonly modes: { readonly atlas: string | undefined; readonly aws?: string | undefined; readonly dryRun: boolean };
}

const HEADERS = {
  'content-security-policy': POLICY,
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
};

/**
 * The report is a page of its own making with a policy of its own; here it is also cut off from the console: no cookie, no
 * form, no request, no frame but the console's.
 */
const REPORT_POLICY =
  "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; frame-ancestors 'self'";

/** Pages that show, in part or whole, what is embedded. */
const IN_AWS = new Set(['/', '/secrets', '/queue', '/tickets', '/events']);

/** Everything people look at and do on this machine, behind the token. */
export function createConsole({ host, tickets, token, origin, modes }: ConsoleOptions) {
  const state = new State(host, tickets, formTokenOf(token));
  const access = createAccess(token, origin);
  const mode = `${modes.atlas === undefined ? 'all embedded' : modes.aws === undefined ? 'real Atlas' : `real Atlas, real AWS (${modes.aws})`}${modes.dryRun ? ', dry run' : ''}`;
  const app = new Hono();

  app.use(async (c, next) => {
    const start = performance.now();
    const refused = access(c.req.raw);
    if (refused) c.res = refused;
    else await next();
    // A page that brought its own policy keeps it.
    const own = c.res.headers.get('content-security-policy');
    for (const [name, value] of Object.entries(HEADERS)) c.res.headers.set(name, value);
    c.res.headers.set('server-timing', `page;dur=${(performance.now() - start).toFixed(1)}`);
    if (own === null) return;
    c.res.headers.set('content-security-policy', own);
    c.res.headers.delete('x-frame-options');
  });

  // What is embedded stays empty there, and must not look like good news.
  const elsewhere = (path: string): Markup | false =>
    modes.aws !== undefined &&
    IN_AWS.has(path) &&
    html`<p class="problem">Secrets, queue and events are in AWS, and tickets in the trackers: of those, this page knows nothing.</p>`;
  const answer = (path: string, title: string, body: Markup, status = 200): Response =>
    new Response(shell({ title, path, mode, body: html`${elsewhere(path)}${body}` }), {
      status,
      headers: { 'content-type': 'text/html; charset=utf-8' },
    });
  const problem = (path: string, text: string, status: number): Response =>
    answer(path, 'That did not work', html`<p class="problem" role="alert">${text}</p>`, status);

  addActions(app, state, { answer, problem });

  app.get('/', async () => {
    const [migrations] = await Promise.all([state.migrations.all(), state.audits.newest()]);
    return answer('/', 'Overview', overviewPage(state, migrations));
  });
  app.get('/functions', () => answer('/functions', 'Functions', functionsPage(state)));
  app.get('/functions/:lambda', (c) => {
    const lambda = c.req.param('lambda');
    if (!host.wiring.functions.has(lambda)) return problem('/functions', 'There is no such function.', 404);
    const shown = { lambda, kind: c.req.query('kind'), page: Number(c.req.query('page')) };
    return answer(`/functions/${lambda}`, lambda, functionPage(state, shown));
  });
  app.get('/secrets', (c) => answer('/secrets', 'Rotation', secretsPage(state, Number(c.req.query('page')))));
  app.get('/backups', async (c) => {
    const audits = await state.audits.newest();
    return answer('/backups', 'Backups', backupsPage(audits, state.audits.isRead, Number(c.req.query('page'))));
  });
  app.get('/backups/report', async (c) => {
    await state.audits.newest();
    const report = await state.audits.pageOf(c.req.query('organization') ?? '');
    if (report === undefined) return problem('/backups', 'There is no report yet.', 404);
    return c.body(report, 200, {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': REPORT_POLICY,
    });
  });
  app.get('/migrations', async () =>
    answer('/migrations', 'Migrations', migrationsPage(state, await state.migrations.all())),
  );
  app.get('/migrations/:runId', async (c) => {
    const view = await state.migrations.one(c.req.param('runId'));
    if (!view) return problem('/migrations', 'There is no such migration.', 404);
    const title = view.migration.destination?.clusterName ?? view.migration.runId;
    return answer('/migrations', title, migrationPage(state, view));
  });
  app.get('/tickets', async (c) =>
    answer('/tickets', 'Incidents and tickets', await ticketsPage(state, Number(c.req.query('page')))),
  );
  app.get('/tickets/incident', async (c) => {
    const { destination = '', key = '' } = c.req.query();
    const found = await state.incidents.one({ destination: destination.slice(0, 63), key: key.slice(0, 1_000) });
    if (!found) return problem('/tickets', 'There is no such incident.', 404);
    return answer('/tickets', incidentTitle(found.incident), incidentPage(state, found.incident, found.trail));
  });
  app.get('/queue', () => answer('/queue', 'Queue and dead letters', queuePage(state)));
  app.get('/events', (c) => answer('/events', 'Events', eventsPage(state, Number(c.req.query('page')))));
  app.get('/live', (c) => live(c, host.ledger));

  app.notFound((c) => problem(c.req.path, 'There is no such page.', 404));
  app.onError((error, c) => {
    host.ledger.printed(`the console: ${error.message}\n`, 'host');
    return problem(c.req.path, 'This page could not be made; the overview says more.', 500);
  });
  return async (request: Request): Promise<Response> => app.fetch(request);
}
