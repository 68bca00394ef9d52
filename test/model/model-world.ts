/**
 * Atlas and Secrets Manager for one schedule: the sandbox's Atlas and the embedded AWS services themselves, without the
 * sockets. What they do is held by their own suites; the model adds nothing to it but faults on the wire.
 */
import { adminRoute } from '../../infra/local/atlas-sandbox/admin-api.ts';
import { createDigest } from '../../infra/local/atlas-sandbox/digest.ts';
import type { Generator } from '../../infra/local/atlas-sandbox/generator.ts';
import { oauthRoutes } from '../../infra/local/atlas-sandbox/oauth.ts';
import { createRateLimiter, defaultLimits } from '../../infra/local/atlas-sandbox/rate-limits.ts';
import type { Received, Route } from '../../infra/local/atlas-sandbox/received.ts';
import { groupOperations } from '../../infra/local/atlas-sandbox/resources/groups.ts';
import { orgOperations } from '../../infra/local/atlas-sandbox/resources/orgs.ts';
import { rootOperations } from '../../infra/local/atlas-sandbox/resources/root.ts';
import { serviceAccountOperations } from '../../infra/local/atlas-sandbox/resources/service-accounts.ts';
import { World } from '../../infra/local/atlas-sandbox/world.ts';
import { createEvents } from '../../infra/local/aws/event-bridge.ts';
import { AwsError, type AwsService, plannedRefusal } from '../../infra/local/aws/json-protocol.ts';
import { createKeys } from '../../infra/local/aws/kms.ts';
import type { InvokeRotation } from '../../infra/local/aws/secrets-manager/rotation.ts';
import { createSecretsManager } from '../../infra/local/aws/secrets-manager/secrets-manager.ts';
import { createSeededIds } from '../../infra/local/aws/seeded-ids.ts';
import type { MovableClock } from '../../infra/local/clock.ts';
import { time } from './stand-ins/time.ts';
import type { AtlasAnswer, AwsAnswer, Request } from './wire.ts';

export const ATLAS_ORIGIN = 'https://atlas.model';

const clock: MovableClock = {
  now: () => new Date(time.now()),
  sleep: async (ms) => time.advance(ms),
  advance: (ms) => time.advance(ms),
};

/** Ids that are told apart and cost nothing: nobody guesses them here. */
function counting(kind: string): Generator {
  let drawn = 0;
  const draw = (length: number): string => `${kind}${(drawn++).toString(16).padStart(6, '0')}`.padEnd(length, kind);
  return { hex: draw, token: draw, fork: () => counting('f') };
}

const AWS_WRITES = new Set([
  'CreateSecret',
  'PutSecretValue',
  'UpdateSecret',
  'UpdateSecretVersionStage',
  'RotateSecret',
  'CancelRotateSecret',
  'DeleteSecret',
  'RestoreSecret',
  'PutEvents',
]);

/** What the moves of a schedule stand for. */
const STATUS: Readonly<Record<number, number>> = { 1: 401, 3: 403, 4: 400, 5: 500, 9: 409, 29: 429, 44: 404 };

const atlasOperations = [...rootOperations, ...orgOperations, ...groupOperations, ...serviceAccountOperations];
const named = (path: string): RegExp =>
  new RegExp(`^${path.replace(/[.]/g, '\\.').replace(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`);
const matchers = atlasOperations.map((operation) => ({
  operation,
  method: operation.method,
  pattern: named(`/api/atlas/v2${operation.path}`),
}));

export interface ModelWorld {
  readonly atlas: World;
  readonly secretsManager: ReturnType<typeof createSecretsManager>;
  readonly events: ReturnType<typeof createEvents>;
  readonly keys: ReturnType<typeof createKeys>;
  readonly aws: (operation: string, input: object) => Request<AwsAnswer>;
  readonly atlasRequest: (
    method: string,
    url: URL,
    headers: Readonly<Record<string, string>>,
    body: string,
  ) => Request<AtlasAnswer>;
}

export interface WorldOptions {
  readonly invoke: InvokeRotation;
  /** How often Secrets Manager goes through the four steps before it gives up, and how far apart. */
  readonly attempts: number;
  readonly retryDelayMs: number;
}

export function createModelWorld({ invoke, attempts, retryDelayMs }: WorldOptions): ModelWorld {
  const ids = createSeededIds('model', { issued: 0 });
  const account = '000000000000';
  const region = 'us-east-1';
  const events = createEvents({ clock, ids, account, region });
  const keys = createKeys({ ids, account, region });
  const rotationRetry = { attempts, delayMs: retryDelayMs };
  const secretsManager = createSecretsManager({ clock, ids, account, region, events, keys, invoke, rotationRetry });
  const services = [secretsManager.service, events.service, keys.service];

  // Letters among the digits, as in real ids: a long row of digits would be read as a number beyond 2^53.
  const atlas = new World(clock, counting('a'), 8760);
  // A run interleaved with another one may create at the same time; a run by itself never waits for itself.
  atlas.secretCreationMs = 0;
  const takeFromBucket = createRateLimiter(clock, {});
  const digest = createDigest(atlas, clock, counting('d'));
  const limits = { ...defaultLimits, mintsPerMinute: 1_000 };
  const tokenRoutes = oauthRoutes({ world: atlas, clock, limits });
  const routes = new Map<string, Route>();

  const routeOf = (method: string, path: string): { route: Route; params: Record<string, string> } => {
    const token = tokenRoutes.find((route) => route.path === path && route.method === method);
    if (token) return { route: token, params: {} };
    for (const matcher of matchers) {
      const found = matcher.method === method ? matcher.pattern.exec(path) : null;
      if (!found) continue;
      const { operation } = matcher;
      const made =
        routes.get(operation.operationId) ??
        adminRoute(operation, { world: atlas, digest, takeFromBucket, rates: {}, maxItemsPerPage: 500 });
      routes.set(operation.operationId, made);
      return { route: made, params: { ...found.groups } };
    }
    throw new Error(`the model's Atlas has no ${method} ${path}`);
  };

  const answerOf = async (response: Response): Promise<AtlasAnswer> => {
    const headers: Record<string, string> = { date: new Date(time.now()).toUTCString() };
    const retryAfter = response.headers.get('retry-after');
    if (retryAfter !== null) headers['retry-after'] = retryAfter;
    return { status: response.status, headers, text: response.body === null ? '' : await response.text() };
  };

  return {
    atlas,
    secretsManager,
    events,
    keys,
    aws: (operation, input) => awsRequest(services, secretsManager, operation, input),

    atlasRequest(method, url, headers, body) {
      const { route, params } = routeOf(method, url.pathname);
      const received: Received = { url, headers: new Headers(headers), params, body };
      const apply = async (): Promise<AtlasAnswer> => answerOf(await route.apply(received));
      let refused: AtlasAnswer | undefined;
      return {
        service: 'atlas',
        operation: route.operation,
        isWrite: method !== 'GET',
        about: params['secretId'] ?? '',
        input: { headers, params, method, path: url.pathname },
        apply,
        refuse: (status) => {
          refused ??= refusalOf(route, STATUS[status] ?? status, received);
          return refused;
        },
        stale: async () => withoutNewest(await apply()),
        statusOf: ({ status }) => status,
      };
    },
  };
}

/** Atlas's own refusal; its text is read at once, because a schedule must not wait for real time. */
function refusalOf(route: Route, status: number, { url }: Received): AtlasAnswer {
  const headers = { date: new Date(time.now()).toUTCString() };
  if (url.pathname.startsWith('/api/oauth/')) {
    const error = status === 401 ? 'invalid_client' : status === 403 ? 'access_denied' : 'invalid_request';
    return { status, headers, text: JSON.stringify({ error }) };
  }
  const errorCode = status === 409 ? 'DATA_CONCURRENCY_ERROR' : status === 429 ? 'RATE_LIMITED' : 'UNEXPECTED_ERROR';
  return { status, headers, text: JSON.stringify({ error: status, errorCode, detail: `${route.operation} refused` }) };
}

/** An account as it was a moment ago: without a secret that is younger than a minute. */
function withoutNewest(answer: AtlasAnswer): AtlasAnswer {
  if (answer.status !== 200 || answer.text === '') return answer;
  const body = JSON.parse(answer.text) as { secrets?: { createdAt: string }[] };
  if (!body.secrets) return answer;
  const secrets = body.secrets.filter(({ createdAt }) => time.now() - Date.parse(createdAt) > 60_000);
  return { ...answer, text: JSON.stringify({ ...body, secrets }) };
}

function awsRequest(
  services: readonly AwsService[],
  secretsManager: ModelWorld['secretsManager'],
  operation: string,
  input: object,
): Request<AwsAnswer> {
  const service = services.find(({ operations }) => Object.hasOwn(operations, operation));
  const carryOut = service?.operations[operation];
  if (!service || !carryOut) throw new Error(`the model's AWS has no ${operation}`);
  const refusal = ({ type, message, status }: AwsError): AwsAnswer => ({ error: { type, message, status } });
  const apply = (): AwsAnswer => {
    try {
      const body = carryOut(input);
      if (body instanceof Promise) throw new Error(`${operation} takes time`);
      return { body };
    } catch (error) {
      if (error instanceof AwsError) return refusal(error);
      throw error;
    }
  };
  return {
    service: 'aws',
    operation,
    isWrite: AWS_WRITES.has(operation),
    about: aboutOf(input),
    input,
    apply,
    refuse: (status) => refusal(plannedRefusal(status === 4 ? 403 : status === 29 ? 429 : 500, service.internalError)),
    stale: () => {
      // Reads lag for moments, not for hours.
      const lag = Object.values(secretsManager.secrets).some(({ before }) => before && time.now() - before.at < 60_000);
      secretsManager.staleReads(lag ? 1 : 0);
      const answer = apply();
      secretsManager.staleReads(0);
      return answer;
    },
    statusOf: ({ error }) => error?.status ?? 200,
  };
}

/** Labels and versions, which are no secrets. */
function aboutOf(input: object): string {
  const { VersionStage, VersionStages, VersionId, RemoveFromVersionId, MoveToVersionId } = input as Record<
    string,
    string | undefined
  >;
  const brief = (id: string | undefined): string => id?.slice(0, 4) ?? '';
  if (RemoveFromVersionId ?? MoveToVersionId)
    return `${VersionStage} ${brief(RemoveFromVersionId)}->${brief(MoveToVersionId)}`;
  return [VersionStages ?? VersionStage ?? '', brief(VersionId)].filter(Boolean).join(' ');
}
