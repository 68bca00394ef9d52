import { setTimeout as delay } from 'node:timers/promises';
import { type Context, Hono } from 'hono';
import type { Received } from '../atlas-sandbox/received.ts';
import { createMovableClock, type MovableClock } from '../clock.ts';
import { type Durable, forgetful, within } from '../durable/durable.ts';
import { FaultPlan } from '../faults.ts';
import { type Drop, type Loopback, serveOnLoopback } from '../loopback.ts';
import type { Window } from './limits.ts';
import { answer, TrackerRefusal } from './refusal.ts';
import { createGitHub } from './systems/github.ts';
import { createJira } from './systems/jira.ts';
import { createJsmOperations } from './systems/jsm-operations.ts';
import { createLinear } from './systems/linear.ts';
import { createPagerDuty } from './systems/pagerduty.ts';
import { createReceiver } from './systems/receiver.ts';
import { createServiceNow } from './systems/servicenow.ts';
import { createSlack } from './systems/slack.ts';
import { createZendesk } from './systems/zendesk.ts';
import type { Route, Tracker } from './tracker.ts';
import { Webhooks } from './webhooks.ts';

export interface TicketSandboxOptions {
  /** Ids and secrets follow from it. */
  readonly seed?: string;
  readonly clock?: MovableClock;
  readonly faults?: FaultPlan;
  /** Other limits than the documented ones, by tracker; `false` has none. `none` switches all of them off. */
  readonly limits?: Readonly<Record<string, Window | false>> | 'none';
  /** What every answer takes at least, in real milliseconds; 0 unless given. */
  readonly latencyMs?: number;
  /** Where tickets outlive this process; nowhere unless given. No answer leaves before what it says is there. */
  readonly durable?: Durable;
}

/** Nine ticket systems on this machine, below one origin: `/jira`, `/github`, and so on. */
export interface TicketSandbox {
  readonly clock: MovableClock;
  /** Operations are called `<tracker>.<operation>`. */
  readonly faults: FaultPlan;
  readonly webhooks: Webhooks;
  readonly jira: ReturnType<typeof createJira>;
  readonly github: ReturnType<typeof createGitHub>;
  readonly servicenow: ReturnType<typeof createServiceNow>;
  readonly pagerduty: ReturnType<typeof createPagerDuty>;
  readonly jsmOperations: ReturnType<typeof createJsmOperations>;
  readonly linear: ReturnType<typeof createLinear>;
  readonly zendesk: ReturnType<typeof createZendesk>;
  readonly slack: ReturnType<typeof createSlack>;
  readonly receiver: ReturnType<typeof createReceiver>;
  readonly trackers: readonly Tracker[];
  /** The values of all secrets that the destinations name, those of webhooks included. */
  readonly secrets: Readonly<Record<string, string>>;
  /** One destination of the settings for each tracker. */
  destinations(origin: string): Readonly<Record<string, unknown>>[];
  /** Sends every tracker's webhooks to one address; the destination's id is appended to it. */
  tell(url: string): void;
  /** Answers in this process. Without `drop`, a connection that drops rejects as `fetch` does. */
  fetch(request: Request, drop?: Drop): Promise<Response>;
  listen(port?: number): Promise<Loopback>;
}

const EVERY_LIMIT = [
  'jira',
  'jira.issue',
  'github',
  'github.content',
  'servicenow',
  'pagerduty',
  'pagerduty.rest',
  'jsm-operations',
  'linear',
  'zendesk',
  'zendesk.ticket',
  'slack',
];

export function createTicketSandbox(options: TicketSandboxOptions = {}): TicketSandbox {
  const {
    seed = 'tickets',
    clock = createMovableClock(),
    faults = new FaultPlan(),
    latencyMs = 0,
    limits = {},
    durable = forgetful,
  } = options;
  const webhooks = new Webhooks();
  let served = 'http://127.0.0.1';
  const contextOf = (name: string) => ({
    seed,
    clock,
    webhooks,
    origin: () => served,
    limits: limits === 'none' ? Object.fromEntries(EVERY_LIMIT.map((name) => [name, false as const])) : limits,
    durable: within(durable, `tickets/${name}`),
  });
  const systems = {
    jira: createJira(contextOf('jira')),
    github: createGitHub(contextOf('github')),
    servicenow: createServiceNow(contextOf('servicenow')),
    pagerduty: createPagerDuty(contextOf('pagerduty')),
    jsmOperations: createJsmOperations(contextOf('jsmOperations')),
    linear: createLinear(contextOf('linear')),
    zendesk: createZendesk(contextOf('zendesk')),
    slack: createSlack(contextOf('slack')),
    receiver: createReceiver(contextOf('receiver')),
  };
  const trackers: readonly Tracker[] = Object.values(systems);
  const webhookSecrets = new Map(
    trackers.map(({ name }) => {
      const secret = `hook-${seed}-${name}`;
      const isStandard = name === 'webhook' || name === 'servicenow';
      return [`tickets/${name}-webhook`, isStandard ? `whsec_${Buffer.from(secret).toString('base64')}` : secret];
    }),
  );

  type Bindings = { Bindings: { drop: Drop } };
  const app = new Hono<Bindings>();
  async function carryOut(c: Context<Bindings>, tracker: Tracker, route: Route): Promise<Response> {
    const received: Received = {
      url: new URL(c.req.url),
      headers: new Headers(c.req.raw.headers),
      params: c.req.param(),
      body: await c.req.text(),
    };
    const dated = (response: Response): Response => {
      response.headers.set('Date', clock.now().toUTCString());
      return response;
    };
    if (latencyMs > 0) await delay(latencyMs);
    return faults.meet({
      operation: route.operation,
      async apply() {
        try {
          return dated(await route.handle(received));
        } catch (error) {
          if (error instanceof TrackerRefusal) return dated(error.response);
          throw error;
        }
      },
      refuse({ status, retryAfterSeconds }) {
        const response = dated(tracker.refuse(status));
        if (retryAfterSeconds !== undefined) response.headers.set('Retry-After', String(retryAfterSeconds));
        return response;
      },
      drop: c.env.drop,
    });
  }
  for (const tracker of trackers) {
    for (const route of tracker.routes)
      app.on(route.method, `/${tracker.name}${route.path}`, (c) => carryOut(c, tracker, route));
  }
  app.notFound(() => answer(404, { message: 'Not Found' }));
  // Without it a dropped connection, and any mistake in here, would be an answer with status 500.
  app.onError((error) => {
    throw error;
  });

  const fetch = async (request: Request, drop: Drop = connectionDropped): Promise<Response> => {
    const response = await app.fetch(request, { drop });
    await durable.committed();
    return response;
  };
  return {
    clock,
    faults,
    webhooks,
    ...systems,
    trackers,
    secrets: {
      ...Object.assign({}, ...trackers.map(({ secrets }) => secrets)),
      ...Object.fromEntries([...webhookSecrets].map(([name, current]) => [name, JSON.stringify({ current })])),
    },
    destinations: (origin) => trackers.map((tracker) => tracker.destination(origin)),
    tell(url) {
      for (const { name } of trackers) {
        const secret = webhookSecrets.get(`tickets/${name}-webhook`) ?? '';
        webhooks.register(name, { url: `${url.replace(/\/$/, '')}/${name}`, secret });
      }
    },
    fetch,
    async listen(port) {
      const loopback = await serveOnLoopback(fetch, port);
      served = loopback.origin;
      return loopback;
    },
  };
}

function connectionDropped(): never {
  throw new TypeError('fetch failed', { cause: new Error('the connection was dropped') });
}
