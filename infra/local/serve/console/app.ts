import { Hono } from 'hono';
import { streamSSE } from 'hono/streaming';
import { html, type Markup } from '../../../../lib/html/markup.ts';
import type { TicketSandbox } from '../../ticket-sandbox/sandbox.ts';
import type { Host } from '../host.ts';
import { createAccess } from './access.ts';
import { functionPage, functionsPage, type RunForm } from './function-pages.ts';
import * as pages from './pages.ts';
import { POLICY, shell } from './shell.ts';
import { State } from './state.ts';

export interface ConsoleOptions {
  readonly host: Host;
  readonly tickets: TicketSandbox;
  readonly token: string;
  readonly origin: string;
  readonly modes: { readonly atlas: string | undefined; readonly dryRun: boolean };
}

/** At most one piece of news a second: a page is read, not watched frame by frame. */
const NEWS_MS = 1_000;
const HEARTBEAT_MS = 20_000;
/** The largest event a form takes. */
const MOST_CHARACTERS = 1024 * 1024;

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

/** Everything people look at and do on this machine, behind the token. */
export function createConsole({ host, tickets, token, origin, modes }: ConsoleOptions) {
  const state = new State(host, tickets);
  const access = createAccess(token, origin);
  const mode = `${modes.atlas === undefined ? 'all embedded' : 'real Atlas'}${modes.dryRun ? ', dry run' : ''}`;
  const app = new Hono();

  app.use(async (c, next) => {
    const refused = access(c.req.raw);
    if (refused) c.res = refused;
    else await next();
    // A page that brought its own policy keeps it.
    const own = c.res.headers.get('content-security-policy');
    for (const [name, value] of Object.entries(HEADERS)) c.res.headers.set(name, value);
    if (own === null) return;
    c.res.headers.set('content-security-policy', own);
    c.res.headers.delete('x-frame-options');
  });

  const answer = (path: string, title: string, body: Markup, status = 200): Response =>
    new Response(shell({ title, path, mode, body }), {
      status,
      headers: { 'content-type': 'text/html; charset=utf-8' },
    });
  const problem = (path: string, text: string, status: number): Response =>
    answer(path, 'That did not work', html`<p class="problem" role="alert">${text}</p>`, status);

  app.get('/', () => {
    // Not waited for: when the answer is there, that is news, and the page takes it in.
    void state.migrations();
    return answer('/', 'Overview', pages.overviewPage(state, state.knownMigrations));
  });
  app.get('/functions', () => answer('/functions', 'Functions', functionsPage(state)));
  const known = (lambda: string): boolean => host.wiring.functions.has(lambda);
  const onFunction = (lambda: string, form?: RunForm): Response =>
    answer(`/functions/${lambda}`, lambda, functionPage(state, lambda, form), form ? 400 : 200);
  app.get('/functions/:lambda', (c) => {
    const lambda = c.req.param('lambda');
    return known(lambda) ? onFunction(lambda) : problem('/functions', 'There is no such function.', 404);
  });
  app.post('/functions/:lambda/run', async (c) => {
    const lambda = c.req.param('lambda');
    if (!known(lambda)) return problem('/functions', 'There is no such function.', 404);
    const { event: text, mode: how } = await c.req.parseBody();
    const given = typeof text === 'string' ? text.slice(0, MOST_CHARACTERS) : '';
    const event = objectOf(given);
    if (!event) return onFunction(lambda, { event: given, problem: 'The event is no JSON object.' });
    if (host.stopping) return onFunction(lambda, { event: given, problem: 'The local host is stopping.' });
    // Anything but the one word is a dry run, and where everything is one, so is this.
    const isReal = how === 'run' && !host.dryRun;
    // It may take minutes; the page shows it run.
    host.machine.invoke(lambda, isReal ? event : { ...event, dryRun: true }).catch(() => {});
    return c.redirect(`/functions/${lambda}`, 303);
  });
  app.get('/secrets', () => answer('/secrets', 'Secrets', pages.secretsPage(state)));
  app.get('/backups', async () =>
    answer('/backups', 'Backups', pages.backupsPage(state.audit, (await state.auditReport()) !== undefined)),
  );
  app.get('/backups/report', async (c) => {
    const report = await state.auditReport();
    if (report === undefined) return problem('/backups', 'There is no report yet.', 404);
    return c.body(report, 200, {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': REPORT_POLICY,
    });
  });
  app.get('/migrations', async () =>
    answer('/migrations', 'Migrations', pages.migrationsPage(state, await state.migrations())),
  );
  app.get('/tickets', () => answer('/tickets', 'Incidents and tickets', pages.ticketsPage(state)));
  app.get('/queue', () => answer('/queue', 'Queue and dead letters', pages.queuePage(state)));
  app.post('/queue/redrive', (c) => {
    const { alertQueue, alertDeadLetters } = host.machine;
    for (let batch = alertDeadLetters.receive(10); batch.length > 0; batch = alertDeadLetters.receive(10))
      for (const message of batch) {
        alertQueue.takeIn({ ...message, receives: 0 });
        alertDeadLetters.remove(message.receipt ?? '');
      }
    host.ledger.changed();
    return c.redirect('/queue', 303);
  });
  app.post('/queue/events/:what{redrive|dismiss}', async (c) => {
    const { id } = await c.req.parseBody();
    const isThere =
      c.req.param('what') === 'redrive' ? host.events.redrive(Number(id)) : host.events.dismiss(Number(id));
    return isThere ? c.redirect('/queue', 303) : problem('/queue', 'It is no longer there.', 404);
  });
  app.get('/events', () => answer('/events', 'Events', pages.eventsPage(state)));

  app.get('/live', (c) =>
    streamSSE(c, async (stream) => {
      let news = Promise.withResolvers<void>();
      const unsubscribe = host.ledger.onChange(() => news.resolve());
      stream.onAbort(() => {
        unsubscribe();
        news.resolve();
      });
      while (!stream.aborted) {
        const quiet = stream.sleep(HEARTBEAT_MS).then(() => 'quiet');
        const heard = await Promise.race([news.promise.then(() => 'news'), quiet]);
        if (stream.aborted) return;
        if (heard === 'quiet') {
          await stream.write(': still here\n\n');
          continue;
        }
        news = Promise.withResolvers();
        await stream.writeSSE({ data: 'changed' });
        await stream.sleep(NEWS_MS);
      }
    }),
  );

  app.notFound((c) => problem(c.req.path, 'There is no such page.', 404));
  app.onError((error, c) => {
    host.ledger.printed(`the console: ${error.message}\n`, 'host');
    return problem(c.req.path, 'This page could not be made; the overview says more.', 500);
  });
  return async (request: Request): Promise<Response> => app.fetch(request);
}

function objectOf(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text.trim() === '' ? '{}' : text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
