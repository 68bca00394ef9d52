import type { Context, Hono } from 'hono';
import { html, type Markup } from '../../../../lib/html/markup.ts';
import { isSame } from './access.ts';
import { functionPage } from './function-pages.ts';
import { migrationPage, type Refused } from './migration-pages.ts';
import { eventAsked, type Typed, typedIn } from './run-form.ts';
import type { State } from './state.ts';

/** The largest form that is taken, in bytes. */
const MOST_BYTES = 1024 * 1024;

export interface Answers {
  answer(path: string, title: string, body: Markup, status?: number): Response;
  problem(path: string, text: string, status: number): Response;
}

/** What people do here: each by a form of a page of the console, which carries the console's own token. */
export function addActions(app: Hono, state: State, { answer, problem }: Answers): void {
  const { host } = state;
  const typedOf = async (c: Context): Promise<Typed> => typedIn(await c.req.parseBody());

  app.use(async (c, next) => {
    if (c.req.method === 'GET' || c.req.method === 'HEAD') return next();
    if (Number(c.req.header('content-length') ?? Number.NaN) > MOST_BYTES)
      return problem(c.req.path, 'That is more than a form holds.', 413);
    const { form = '' } = await typedOf(c);
    if (!isSame(form, state.formToken))
      return problem(c.req.path, 'This form is none of this console’s, or of an earlier one: reload its page.', 403);
    return next();
  });

  app.post('/functions/:lambda/run', async (c) => {
    const lambda = c.req.param('lambda');
    if (!host.wiring.functions.has(lambda)) return problem('/functions', 'There is no such function.', 404);
    const typed = await typedOf(c);
    const { kind = '', mode } = typed;
    // Anything but the one word is a dry run, and where everything is one, so is this.
    const asked = eventAsked(lambda, kind, typed, mode === 'run' && !host.dryRun ? 'run' : 'dry');
    const problems = host.stopping
      ? [{ path: '(the whole)', problem: 'the local host is stopping' }]
      : 'problems' in asked
        ? asked.problems
        : [];
    if (problems.length > 0 || 'problems' in asked) {
      const form = { kind, typed, problems };
      return answer(`/functions/${lambda}`, lambda, functionPage(state, { lambda, kind, form, page: 1 }), 400);
    }
    // It may take minutes; the page shows it run.
    host.machine.invoke(lambda, asked.event).catch(() => {});
    return c.redirect(`/functions/${lambda}?kind=${encodeURIComponent(kind)}`, 303);
  });

  const refusedPage = async (runId: string, refused: Refused): Promise<Response> => {
    const view = await state.migrations.one(runId);
    if (!view) return problem('/migrations', refused.problem, 409);
    const title = view.migration.destination?.clusterName ?? runId;
    return answer('/migrations', title, migrationPage(state, view, refused), 409);
  };
  app.post('/migrations/:runId/:what{approve|reject}', async (c) => {
    const runId = c.req.param('runId');
    const approves = c.req.param('what') === 'approve';
    const { mode, by = '', reason = '', approvalId = '', planDigest = '', ...ticked } = await typedOf(c);
    const dryRun = mode !== 'run' || host.dryRun;
    const event = approves
      ? {
          action: 'approve-cutover',
          runId,
          // What the person saw, and not what may have come since.
          approvalId,
          planDigest,
          approvedBy: by.trim(),
          confirms: {
            writesStopped: ticked['writesStopped'] === 'on',
            inventoryAccepted: ticked['inventoryAccepted'] === 'on',
          },
          dryRun,
        }
      : { action: 'reject-cutover', runId, rejectedBy: by.trim(), reason: reason.trim(), dryRun };
    const refusal = await state.migrations.decide(event);
    if (refusal !== undefined) return refusedPage(runId, { problem: refusal, by });
    if (!dryRun) return c.redirect(`/migrations/${runId}`, 303);
    return answer(
      '/migrations',
      'It would be taken',
      html`<p>As a dry run, the decision of <bdi>${by}</bdi> was taken: nothing was sent and nothing written.</p><p><a href="/migrations/${runId}">Back to the migration</a></p>`,
    );
  });

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
    const { id } = await typedOf(c);
    const isThere =
      c.req.param('what') === 'redrive' ? host.events.redrive(Number(id)) : host.events.dismiss(Number(id));
    return isThere ? c.redirect('/queue', 303) : problem('/queue', 'It is no longer there.', 404);
  });
}
