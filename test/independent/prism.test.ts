import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { operations as ofSandbox } from '../../infra/local/atlas-sandbox/sandbox.ts';
import { seedWorld } from '../../infra/local/atlas-sandbox/seeded-world.ts';
import type { ServiceAccount } from '../../infra/local/atlas-sandbox/world.ts';
import { serveOnLoopback } from '../../infra/local/loopback.ts';
import { type AtlasClient, createAtlasClient } from '../../lib/atlas/client.ts';
import { createScene } from '../infra/local/atlas-sandbox/client.ts';
import { operations } from '../lib/atlas/operations/every-operation.ts';
import { notJudged } from '../support/judged-atlas.ts';
import { callEverything, readSeeded } from './every-success.ts';
import { installAlone, type NpmPackage } from './npm-package.ts';
import { type Prism, startPrism, type Verdict } from './prism.ts';
import { prismDocument } from './prism-document.ts';
import { sampleRequests } from './sample-requests.ts';

const PACKAGE = ['@stoplight/prism-cli', '5.14.2'] as const;
const versioned = operations.map(({ op }) => op).filter(({ version }) => version !== undefined);
const once = { attempts: 1, baseMs: 0, maxMs: 0 };

/** Requests that are right and that the document refuses, by operation, as Prism words it. */
const shortAddress = {
  why: 'its pattern of an address has no room for the short form of IPv6',
  violations: ['request/query/ipaddress: pattern'],
};
const openList = {
  why: 'its list of event types changes frequently, by its own words, so that any name is sent',
  violations: ['request/query/eventtype/0: enum'],
};
const regions = {
  why: 'a container of Google Cloud without regions is one for all of them, and the document requires them',
  violations: ['request/body: required', 'request/body: anyOf'],
};
const shardKey = {
  why: 'a shard key is 1 or "hashed", and the document says it is an object',
  violations: ['request/body/sharding/shardingEntries/0/shardCollection/key/0/key: type'],
};
const mistakes: Readonly<Record<string, { readonly why: string; readonly violations: readonly string[] }>> = {
  updateGroupClusterBackupSchedule: {
    why: 'one schema serves reading and changing, and changing takes what is to change only',
    violations: ['request/body: required'],
  },
  updateGroupClusterSearchIndexByName: {
    why: 'booleans turn everything on or off, and a custom analyzer goes by its own name; where one kind of index fails for that, the other fails for being the other',
    violations: [
      'request/body/definition/analyzer: enum',
      'request/body/definition/analyzers/0/tokenizer/key: type',
      'request/body/definition/fields/0/path: type',
      'request/body/definition/fields/0/type: type',
      'request/body/definition/mappings/dynamic: type',
      'request/body/definition/mappings/fields/key: type',
      'request/body/definition/searchAnalyzer: enum',
      'request/body/definition/storedSource: type',
      'request/body/definition/synonyms/0/analyzer: enum',
      'request/body/definition/typeSets/0/types/0/key: type',
      'request/body/definition: anyOf',
      'request/body/definition: required',
    ],
  },
  createGroupContainer: regions,
  updateGroupContainer: regions,
  createGroupLiveMigration: shardKey,
  validateGroupLiveMigrations: shardKey,
  getGroupDbAccessHistoryCluster: shortAddress,
  listRateLimits: shortAddress,
  getRateLimit: shortAddress,
  listGroupEvents: {
    why: openList.why,
    violations: [...openList.violations, 'request/query/excludedeventtype/0: enum'],
  },
  listOrgEvents: openList,
};

if (notJudged === undefined) describe('Prism, with the published document,', judge);
else {
  it(`SKIPPED: ${notJudged}`, () => {
    expect(notJudged).toBeDefined();
  });
}

function judge(): void {
  const resources = new AsyncDisposableStack();
  let installed: NpmPackage;

  beforeAll(async () => {
    installed = resources.use(await installAlone(...PACKAGE));
  }, 200_000);

  afterAll(() => resources.disposeAsync(), 60_000);

  describe('takes', () => {
    let prism: Prism;

    beforeAll(async () => {
      const token = { access_token: 'token', expires_in: 3600, token_type: 'Bearer' };
      prism = resources.use(await startPrism(installed, { tokens: async () => Response.json(token) }));
    }, 90_000);

    const cases = versioned.map((op) => {
      const { why, violations = [] } = mistakes[op.id] ?? {};
      return {
        op,
        id: op.id,
        violations,
        but: why === undefined ? '' : `, but where the document is mistaken: ${why}`,
      };
    });

    it.each(cases)('every request of $id$but', async ({ op, violations }) => {
      const credentials = { clientId: `mdb_sa_id_${'0'.repeat(24)}`, clientSecret: 'secret' };
      const client = createAtlasClient({
        origin: prism.origin,
        credentials: async () => credentials,
        backoff: once,
      });
      const requests = sampleRequests(op);
      const before = prism.verdicts.length;
      for (const request of requests) {
        // The answer is made up from the document's examples, and not what this is about.
        await client.call(op, request as never).catch(() => {});
      }
      const verdicts = prism.verdicts.slice(before);
      expect(verdicts).toHaveLength(requests.length);
      const found = new Set(verdicts.flatMap(({ ofRequest }) => ofRequest));
      expect([...found].sort()).toEqual([...violations].sort());
      // A made-up answer that breaks the document's own rules is a 500.
      const taken = verdicts.filter(({ ofRequest }) => ofRequest.length === 0);
      expect(taken.filter(({ status }) => status >= 300 && status !== 500)).toEqual([]);
    });
  });

  it('finds nothing wrong with what client and sandbox say to each other, in every operation of the sandbox', async () => {
    const scene = createScene();
    const { sandbox, world, owner } = scene;
    await using server = await sandbox.listen();
    const tokens = (request: Request): Promise<Response> => sandbox.fetch(request);
    await using prism = await startPrism(installed, { upstream: server.origin, tokens });
    const clientOf = (account: ServiceAccount): AtlasClient => {
      const { clientId } = account;
      const { value: clientSecret } = world.addSecret(account);
      const credentials = async () => ({ clientId, clientSecret });
      return createAtlasClient({ origin: prism.origin, credentials, clock: sandbox.clock, backoff: once });
    };
    await callEverything(scene, clientOf(owner));
    const { orgs, projects } = seedWorld(world, { orgs: 1, projects: 3, clusters: 30, seed: 'prism' });
    const reader = world.addOrgAccount(orgs[0]!, { name: 'reader', roles: ['ORG_READ_ONLY'] });
    await readSeeded(world, projects, clientOf(reader));
    const succeeded = new Set(
      sandbox.faults.journal.flatMap(({ operation, status = 0 }) => (status >= 200 && status < 300 ? [operation] : [])),
    );
    // What is gone succeeds no more.
    const living = ofSandbox.map(({ operationId }) => operationId).filter((id) => id !== 'getGroupPipelineRun');
    expect(living.filter((id) => !succeeded.has(id))).toEqual([]);
    const schedule = /\/backup\/schedule$/;
    const isMistake = ({ method, path }: Verdict, violation: string): boolean =>
      method === 'PATCH' &&
      schedule.test(path) &&
      (mistakes['updateGroupClusterBackupSchedule']?.violations.includes(violation) ?? false);
    const found = prism.verdicts.flatMap((verdict) =>
      [...verdict.ofRequest, ...verdict.ofResponse]
        .filter((violation) => !isMistake(verdict, violation))
        .map((violation) => `${verdict.method} ${verdict.path} ${verdict.status} ${violation}`),
    );
    expect(found).toEqual([]);
    expect(prism.verdicts.length).toBeGreaterThan(living.length);
  }, 90_000);

  it('would find it, in every operation', async () => {
    const document = prismDocument();
    let answer: () => Response = Response.error;
    await using nonsense = await serveOnLoopback(async () => answer());
    const tokens = async (): Promise<Response> => Response.error();
    await using prism = await startPrism(installed, { upstream: nonsense.origin, tokens });
    const missed: string[] = [];
    for (const op of versioned) {
      const { requestBody, responses } = document.paths[op.path]![op.method.toLowerCase()]!;
      const status = Object.keys(responses).find((one) => one.startsWith('2'))!;
      const response = responses[status]!;
      const [type] = Object.keys(('content' in response && response.content) || {});
      answer = () =>
        type === undefined
          ? new Response(null, { status: Number(status) })
          : new Response('"nonsense"', { status: Number(status), headers: { 'content-type': type } });
      const [request] = sampleRequests(op);
      const params = request!.params as Record<string, string>;
      const at = op.path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params[name] ?? ''));
      const mediaType = `application/vnd.atlas.${op.version}+json`;
      await fetch(prism.origin + at, {
        method: op.method,
        headers: { authorization: 'Bearer token', accept: mediaType, 'content-type': mediaType },
        ...(requestBody && { body: '["nonsense"]' }),
      });
      const verdict = prism.verdicts.at(-1);
      if (requestBody && verdict?.ofRequest.length === 0) missed.push(`the body of ${op.id}`);
      if (type !== undefined && verdict?.ofResponse.length === 0) missed.push(`the answer of ${op.id}`);
    }
    expect(missed).toEqual([]);
  }, 90_000);
}
