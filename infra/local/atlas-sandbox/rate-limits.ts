import type { Clock } from '../../../lib/runtime/clock.ts';
import { AtlasRefusal } from './refusal.ts';

/** A token bucket: `capacity` at most, `refill` more every `seconds`. */
export interface Rate {
  readonly capacity: number;
  readonly refill: number;
  readonly seconds: number;
}

export interface EndpointSet extends Rate {
  /** Whose bucket a call takes from. */
  readonly scope: 'GROUP' | 'ORGANIZATION' | 'USER';
}

/** Atlas's endpoint sets with their published defaults. */
export const endpointSets = {
  root: { scope: 'USER', capacity: 300, refill: 100, seconds: 60 },
  organizations: { scope: 'USER', capacity: 300, refill: 100, seconds: 60 },
  projects: { scope: 'USER', capacity: 1200, refill: 500, seconds: 60 },
  groupServiceAccounts: { scope: 'GROUP', capacity: 1200, refill: 500, seconds: 60 },
  orgServiceAccounts: { scope: 'ORGANIZATION', capacity: 500, refill: 250, seconds: 60 },
  rateLimits: { scope: 'USER', capacity: 300, refill: 100, seconds: 60 },
  group: { scope: 'GROUP', capacity: 1200, refill: 500, seconds: 60 },
  orgSettings: { scope: 'ORGANIZATION', capacity: 10, refill: 5, seconds: 60 },
  orgGroups: { scope: 'ORGANIZATION', capacity: 500, refill: 250, seconds: 60 },
  alerts: { scope: 'GROUP', capacity: 1200, refill: 500, seconds: 60 },
  alertConfigurations: { scope: 'GROUP', capacity: 1200, refill: 500, seconds: 60 },
  integrations: { scope: 'GROUP', capacity: 1200, refill: 500, seconds: 60 },
  groupEvents: { scope: 'GROUP', capacity: 300, refill: 100, seconds: 60 },
  orgEvents: { scope: 'ORGANIZATION', capacity: 500, refill: 250, seconds: 60 },
  networkPeering: { scope: 'GROUP', capacity: 1200, refill: 500, seconds: 60 },
  privateEndpoints: { scope: 'GROUP', capacity: 4000, refill: 2000, seconds: 60 },
  dataFederationPrivateEndpoints: { scope: 'GROUP', capacity: 1200, refill: 500, seconds: 60 },
  dataLakePipelines: { scope: 'GROUP', capacity: 1200, refill: 500, seconds: 60 },
  cloudProviderAccess: { scope: 'GROUP', capacity: 2000, refill: 1000, seconds: 60 },
  databaseAccessHistory: { scope: 'GROUP', capacity: 1200, refill: 500, seconds: 60 },
  maintenanceWindows: { scope: 'GROUP', capacity: 1200, refill: 500, seconds: 60 },
  groupUsers: { scope: 'GROUP', capacity: 1200, refill: 500, seconds: 60 },
  orgApiKeys: { scope: 'ORGANIZATION', capacity: 500, refill: 250, seconds: 60 },
  federatedAuthentication: { scope: 'ORGANIZATION', capacity: 500, refill: 250, seconds: 60 },
  allClusters: { scope: 'USER', capacity: 300, refill: 100, seconds: 60 },
  clusters: { scope: 'GROUP', capacity: 10_000, refill: 5000, seconds: 60 },
  collectionMetrics: { scope: 'GROUP', capacity: 300, refill: 100, seconds: 60 },
  cloudBackups: { scope: 'GROUP', capacity: 1200, refill: 500, seconds: 60 },
  legacyBackups: { scope: 'GROUP', capacity: 1200, refill: 500, seconds: 60 },
  flexClusters: { scope: 'GROUP', capacity: 1200, refill: 500, seconds: 60 },
  flexBackups: { scope: 'GROUP', capacity: 1200, refill: 500, seconds: 60 },
  searchIndexes: { scope: 'GROUP', capacity: 500, refill: 500, seconds: 60 },
  onlineArchives: { scope: 'GROUP', capacity: 1200, refill: 500, seconds: 60 },
  groupMigrations: { scope: 'GROUP', capacity: 1200, refill: 500, seconds: 60 },
  orgMigrations: { scope: 'ORGANIZATION', capacity: 500, refill: 250, seconds: 60 },
} satisfies Record<string, EndpointSet>;

export type EndpointSetName = keyof typeof endpointSets;

export interface Limits {
  /** Token requests per minute and client. */
  readonly mintsPerMinute: number;
  /** Live access tokens per account. */
  readonly liveTokens: number;
  /** Other rates than the published ones. */
  readonly rates: Partial<Record<EndpointSetName, Partial<Rate>>>;
}

export const defaultLimits: Limits = { mintsPerMinute: 50, liveTokens: 100, rates: {} };

interface Bucket {
  left: number;
  refilledAt: number;
}

/** Takes one call from the bucket of `set` and `subject`, and returns the headers that go with the answer. */
export type RateLimiter = (set: EndpointSetName, subject: string, path: string) => Record<string, string>;

export function createRateLimiter(clock: Clock, rates: Limits['rates']): RateLimiter {
  const buckets = new Map<string, Bucket>();
  return (set, subject, path) => {
    const { capacity, refill, seconds } = { ...endpointSets[set], ...rates[set] };
    const now = clock.now().getTime();
    const key = `${set} ${subject}`;
    const bucket = buckets.get(key) ?? { left: capacity, refilledAt: now };
    buckets.set(key, bucket);
    const periods = Math.floor((now - bucket.refilledAt) / (seconds * 1000));
    bucket.left = Math.min(capacity, bucket.left + periods * refill);
    bucket.refilledAt += periods * seconds * 1000;
    if (bucket.left === 0) {
      const wait = Math.max(1, Math.ceil((bucket.refilledAt + seconds * 1000 - now) / 1000));
      throw bucketEmpty(path, wait, { capacity, refill, seconds });
    }
    // A full bucket has nothing to refill: its period begins with the first call taken from it.
    if (bucket.left === capacity) bucket.refilledAt = now;
    bucket.left -= 1;
    return rateHeaders(capacity, bucket.left);
  };
}

export function bucketEmpty(path: string, wait: number, { capacity, refill, seconds }: Rate): AtlasRefusal {
  const resource = path.replace(/^\//, '');
  return new AtlasRefusal(
    429,
    'RATE_LIMITED_TOKEN_BUCKET',
    `Rate limit exceeded for ${resource}. Please retry after ${wait} seconds. Request capacity: ${capacity}. Refill rate: ${refill} per ${seconds} seconds.`,
    [resource, wait, capacity, refill, seconds],
    { ...rateHeaders(capacity, 0), 'Retry-After': String(wait) },
  );
}

function rateHeaders(capacity: number, left: number): Record<string, string> {
  return { 'RateLimit-Limit': String(capacity), 'RateLimit-Remaining': String(left) };
}

/** Counts requests per client in windows of a minute; says whether one more is within the limit. */
export function createMintLimiter(clock: Clock, perMinute: number): (clientId: string) => boolean {
  const windows = new Map<string, { since: number; count: number }>();
  return (clientId) => {
    const now = clock.now().getTime();
    const open = windows.get(clientId);
    const window = open && now - open.since < 60_000 ? open : { since: now, count: 0 };
    windows.set(clientId, window);
    window.count += 1;
    return window.count <= perMinute;
  };
}
