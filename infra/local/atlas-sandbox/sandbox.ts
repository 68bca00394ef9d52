import { type Context, Hono } from 'hono';
import { createMovableClock, type MovableClock } from '../clock.ts';
import { FaultPlan } from '../faults.ts';
import { type Drop, type Loopback, serveOnLoopback } from '../loopback.ts';
import { adminRoute, unknownPath } from './admin-api.ts';
import { createGenerator } from './generator.ts';
import { oauthRoutes } from './oauth.ts';
import { createRateLimiter, defaultLimits, type Limits } from './rate-limits.ts';
import type { Received, Route } from './received.ts';
import { groupOperations } from './resources/groups.ts';
import { orgOperations } from './resources/orgs.ts';
import { rootOperations } from './resources/root.ts';
import { serviceAccountOperations } from './resources/service-accounts.ts';
import { World } from './world.ts';

export interface SandboxOptions {
  /** Ids, secrets and tokens follow from it. */
  readonly seed?: string;
  readonly clock?: MovableClock;
  readonly faults?: FaultPlan;
  readonly limits?: Partial<Limits>;
  /** What organizations allow unless they are added with their own value; 8760 unless given. */
  readonly maxSecretValidityHours?: number;
}

/** Atlas on this machine: what Atlas is documented or was seen to refuse, this refuses. */
export interface AtlasSandbox {
  /** The state, to seed and to look at. */
  readonly world: World;
  readonly faults: FaultPlan;
  readonly clock: MovableClock;
  /** Answers in this process. Without `drop`, a connection that drops rejects as `fetch` does. */
  fetch(request: Request, drop?: Drop): Promise<Response>;
  /** Serves the same state on loopback; disposing the result ends that. */
  listen(port?: number): Promise<Loopback>;
}

/** Every operation the sandbox has, one list per resource. */
export const operations = [...rootOperations, ...orgOperations, ...groupOperations, ...serviceAccountOperations];

export function createAtlasSandbox(options: SandboxOptions = {}): AtlasSandbox {
  const { seed = 'atlas', clock = createMovableClock(), faults = new FaultPlan() } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const world = new World(clock, createGenerator(seed), options.maxSecretValidityHours ?? 8760);
  const takeFromBucket = createRateLimiter(clock, limits.rates);

  const app = new Hono<{ Bindings: { drop: Drop } }>();
  const answer = async (
    c: Context<{ Bindings: { drop: Drop } }>,
    { operation, apply, refuse }: Pick<Route, 'operation' | 'apply' | 'refuse'>,
  ): Promise<Response> => {
    const received: Received = {
      url: new URL(c.req.url),
      headers: new Headers(c.req.raw.headers),
      params: c.req.param(),
      body: await c.req.text(),
    };
    // Clients measure the age of secrets with it, so it tells the sandbox's time and not the machine's.
    const dated = (response: Response): Response => {
      response.headers.set('Date', clock.now().toUTCString());
      return response;
    };
    return faults.meet({
      operation,
      apply: async () => dated(await apply(received)),
      refuse: ({ status, retryAfterSeconds }) => {
        const response = dated(refuse(status, received, retryAfterSeconds));
        if (retryAfterSeconds !== undefined) response.headers.set('Retry-After', String(retryAfterSeconds));
        return response;
      },
      drop: c.env.drop,
    });
  };
  const routes = [
    ...oauthRoutes({ world, clock, limits }),
    ...operations.map((operation) => adminRoute(operation, { world, takeFromBucket, rates: limits.rates })),
  ];
  for (const route of routes) app.on(route.method, route.path, (c) => answer(c, route));
  app.notFound((c) =>
    answer(c, {
      operation: 'unknownPath',
      apply: async (received) => unknownPath(received),
      refuse: (_, received) => unknownPath(received),
    }),
  );
  // Without it Hono turns a dropped connection, and any mistake in here, into an answer with status 500.
  app.onError((error) => {
    throw error;
  });

  const fetch = async (request: Request, drop: Drop = connectionDropped): Promise<Response> =>
    app.fetch(request, { drop });
  return { world, faults, clock, fetch, listen: (port) => serveOnLoopback(fetch, port) };
}

function connectionDropped(): never {
  throw new TypeError('fetch failed', { cause: new Error('the connection was dropped') });
}
