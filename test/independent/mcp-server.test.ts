import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type AtlasSandbox, createAtlasSandbox } from '../../infra/local/atlas-sandbox/sandbox.ts';
import { seedWorld } from '../../infra/local/atlas-sandbox/seeded-world.ts';
import type { Project, ServiceAccount } from '../../infra/local/atlas-sandbox/world.ts';
import { type Child, startChild } from './child.ts';
import { type SecureLoopback, serveOverTls } from './https.ts';
import { connectMcp, type McpClient } from './mcp-client.ts';
import { installAlone } from './npm-package.ts';

/** MongoDB's own server of tools: a client of Atlas that knows nothing of this repository. */
const PACKAGE = ['mongodb-mcp-server', '3.0.4'] as const;

const resources = new AsyncDisposableStack();
let sandbox: AtlasSandbox;
let account: ServiceAccount;
let projects: readonly Project[];
let server: Child;
let mcp: McpClient;

beforeAll(async () => {
  const { script } = resources.use(await installAlone(...PACKAGE));
  const home = await mkdtemp(path.join(tmpdir(), 'atlas-judge-'));
  resources.defer(() => rm(home, { recursive: true, force: true }));
  sandbox = createAtlasSandbox();
  const { world } = sandbox;
  const seeded = seedWorld(world, { orgs: 2, projects: 4, clusters: 40, seed: 'mcp' });
  const [org] = seeded.orgs;
  account = world.addOrgAccount(org!, { name: 'tools', roles: ['ORG_READ_ONLY'] });
  projects = world.projectsOf(org!);
  const tls: SecureLoopback = resources.use(await serveOverTls((request) => sandbox.fetch(request)));
  server = resources.use(
    startChild(script, [], {
      env: {
        HOME: home,
        // It calls the API with a certificate store of its own, and revokes its token with Node's.
        SSL_CERT_FILE: tls.certificate,
        NODE_EXTRA_CA_CERTS: tls.certificate,
        MDB_MCP_API_BASE_URL: `${tls.origin}/`,
        MDB_MCP_API_CLIENT_ID: account.clientId,
        MDB_MCP_API_CLIENT_SECRET: world.addSecret(account).value,
        MDB_MCP_READ_ONLY: 'true',
        MDB_MCP_TELEMETRY: 'disabled',
      },
    }),
  );
  mcp = await connectMcp(server);
}, 200_000);

afterAll(() => resources.disposeAsync(), 60_000);

/** What a tool says, which must be no failure. */
async function ask(tool: string, args: Readonly<Record<string, string>> = {}): Promise<string> {
  const { isError, text } = await mcp.call(tool, args);
  expect(isError, `${tool}: ${text}`).toBe(false);
  return text;
}

/** `"cluster-1"` is not said by whoever says `"cluster-10"`. */
const quoted = (names: readonly string[]) => names.map((name) => expect.stringContaining(JSON.stringify(name)));

async function expectNames(answer: Promise<string>, names: readonly string[]): Promise<void> {
  expect(names.length).toBeGreaterThan(0);
  const text = await answer;
  for (const name of quoted(names)) expect(text).toEqual(name);
}

it('lists the organization it belongs to, and no other', async () => {
  const text = await ask('atlas-list-orgs');
  expect(text).toContain('"org-1"');
  expect(text).not.toContain('"org-2"');
});

it('lists its projects', async () => {
  const names = projects.map(({ name }) => name);
  await expectNames(ask('atlas-list-projects'), names);
  await expectNames(ask('atlas-list-projects', { orgId: account.orgId }), names);
});

it('lists the clusters of all projects, and of each with connection strings it can read', async () => {
  const { clusters } = sandbox.world;
  const listed = await ask('atlas-list-clusters');
  for (const { id, name } of projects) {
    expect(listed).toContain(JSON.stringify(name));
    const names = clusters.of(id).map((cluster) => cluster.name);
    await expectNames(ask('atlas-list-clusters', { projectId: id }), names);
  }
});

it('inspects clusters of every kind there is', async () => {
  const kinds = new Set<string>();
  for (const { id: projectId } of projects) {
    for (const { name, kind } of sandbox.world.clusters.of(projectId)) {
      kinds.add(kind);
      await expectNames(ask('atlas-inspect-cluster', { projectId, clusterName: name }), [name]);
    }
  }
  expect([...kinds]).toEqual(expect.arrayContaining(['replicaSet', 'sharded', 'flex']));
});

it('lists open alerts', async () => {
  const [project] = projects;
  const { alerts } = sandbox.world;
  const { id } = alerts.openAlert(project!, { eventTypeName: 'NO_PRIMARY', details: { replicaSetName: 'rs' } });
  await expectNames(ask('atlas-list-alerts', { projectId: project!.id }), [id, 'NO_PRIMARY', 'OPEN']);
});

it('was refused nothing but the flex clusters it looks for among the others first', () => {
  const refused = sandbox.faults.journal.filter(({ status }) => status === undefined || status >= 400);
  expect(refused.filter(({ operation, status }) => operation !== 'getGroupCluster' || status !== 400)).toEqual([]);
});

it('works with one token, and revokes it when it is done', async () => {
  const { faults, world } = sandbox;
  expect(world.liveTokens(account.clientId)).toHaveLength(1);
  await server[Symbol.asyncDispose]();
  const ofTokens = faults.journal.filter(({ operation }) => operation.endsWith('Token'));
  expect(ofTokens.map(({ operation, status }) => `${operation} ${status}`)).toEqual([
    'mintToken 200',
    'revokeToken 200',
  ]);
  expect(world.liveTokens(account.clientId)).toEqual([]);
});
