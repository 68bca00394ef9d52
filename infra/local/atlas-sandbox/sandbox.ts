import { setTimeout as delay } from 'node:timers/promises';
import { type Context, Hono } from 'hono';
import { createMovableClock, type MovableClock } from '../clock.ts';
import { type Durable, within } from '../durable/durable.ts';
import { FaultPlan } from '../faults.ts';
import { type Drop, type Loopback, serveOnLoopback } from '../loopback.ts';
import { adminRoute, unknownPath } from './admin-api.ts';
import { createDigest } from './digest.ts';
import { createGenerator } from './generator.ts';
import { oauthRoutes } from './oauth.ts';
import { keepWorld } from './picture.ts';
import { createRateLimiter, defaultLimits, type Limits } from './rate-limits.ts';
import type { Received, Route } from './received.ts';
import { accessOperations } from './resources/access.ts';
import { alertConfigOperations } from './resources/alert-configs.ts';
import { alertOperations } from './resources/alerts.ts';
import { backupJobOperations } from './resources/backup-jobs.ts';
import { backupOperations } from './resources/backups.ts';
import { cloudManagerOperations } from './resources/cloud-manager.ts';
import { clusterOperations } from './resources/clusters.ts';
import { complianceOperations } from './resources/compliance.ts';
import { containerOperations } from './resources/containers.ts';
import { eventOperations } from './resources/events.ts';
import { flexOperations } from './resources/flex-clusters.ts';
import { groupOperations } from './resources/groups.ts';
import { legacyBackupOperations } from './resources/legacy-backups.ts';
import { liveMigrationOperations } from './resources/live-migrations.ts';
import { networkPeeringV1Operations } from './resources/network-peering-v1.ts';
import { onlineArchiveOperations } from './resources/online-archives.ts';
import { orgOperations } from './resources/orgs.ts';
import { peerOperations } from './resources/peers.ts';
import { privateNetworkingOperations } from './resources/private-networking.ts';
import { projectSettingsOperations } from './resources/project-settings.ts';
import { rateLimitOperations } from './resources/rate-limits.ts';
import { rootOperations } from './resources/root.ts';
import { searchIndexOperations } from './resources/search-indexes.ts';
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
  /** What every answer takes at least, in real milliseconds, or what draws it for each; 0 unless given. */
  readonly latencyMs?: number | (() => number);
  /** The largest page a list gives; 500 unless given. */
  readonly maxItemsPerPage?: number;
  /** Where the world outlives this process; nowhere unless given. No answer leaves before what it changed is there. */
  readonly durable?: Durable | undefined;
}

/** Atlas on this machine: what Atlas is documented or was seen to refuse, this refuses. */
export interface AtlasSandbox {
  /** The state, to seed and to look at. */
  readonly world: World;
  readonly faults: FaultPlan;
  readonly clock: MovableClock;
  /** Keeps what was changed in `world` by other ways than the API. Does nothing where nothing is kept. */
  keep(): void;
  /** Answers in this process. Without `drop`, a connection that drops rejects as `fetch` does. */
  fetch(request: Request, drop?: Drop): Promise<Response>;
  /** Serves the same state on loopback; disposing the result ends that. */
  listen(port?: number): Promise<Loopback>;
}

const resourceOperations = [
  ...rootOperations,
  ...orgOperations,
  ...groupOperations,
  ...serviceAccountOperations,
  ...alertOperations,
  ...alertConfigOperations,
  ...eventOperations,
  ...containerOperations,
  ...peerOperations,
  ...privateNetworkingOperations,
  ...accessOperations,
  ...projectSettingsOperations,
  ...clusterOperations,
  ...flexOperations,
  ...backupOperations,
  ...legacyBackupOperations,
  ...complianceOperations,
  ...searchIndexOperations,
  ...onlineArchiveOperations,
  ...liveMigrationOperations,
];

/** Every operation of the versioned API the sandbox has. */
export const operations = [...resourceOperations, ...rateLimitOperations(resourceOperations)];

/** The operations of the APIs without versions: Atlas v1.0 and Cloud Manager. */
export const olderOperations = [...networkPeeringV1Operations, ...cloudManagerOperations];

export function createAtlasSandbox(options: SandboxOptions = {}): AtlasSandbox {
  const { seed = 'atlas', clock = createMovableClock(), faults = new FaultPlan() } = options;
  const { latencyMs = 0, maxItemsPerPage = 500 } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const world = new World(clock, createGenerator(seed), options.maxSecretValidityHours ?? 8760);
  const durable = options.durable && within(options.durable, 'atlas');
  const keep = durable ? keepWorld(world, durable) : () => {};
  // Time opens alerts and notifies of them: what was told must not be told again.
  if (durable) world.alerts.onAlert(keep);
  const takeFromBucket = createRateLimiter(clock, limits.rates);
  const digest = createDigest(world, clock, createGenerator(`${seed}/digest`));

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
    const takes = typeof latencyMs === 'function' ? latencyMs() : latencyMs;
    if (takes > 0) await delay(takes);
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
    ...[...operations, ...olderOperations, ...backupJobOperations].map((operation) =>
      adminRoute(operation, { world, digest, takeFromBucket, rates: limits.rates, maxItemsPerPage }),
    ),
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

  const fetch = async (request: Request, drop: Drop = connectionDropped): Promise<Response> => {
    const response = await app.fetch(request, { drop });
    // A token that is forgotten is asked for again, and there are many.
    if (request.method !== 'GET' && !new URL(request.url).pathname.startsWith('/api/oauth/')) keep();
    await durable?.committed();
    return response;
  };
  return { world, faults, clock, keep, fetch, listen: (port) => serveOnLoopback(fetch, port) };
}

function connectionDropped(): never {
  throw new TypeError('fetch failed', { cause: new Error('the connection was dropped') });
}
