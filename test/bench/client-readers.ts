import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { Agent as HttpAgent } from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import { promisify } from 'node:util';
import { Agent, request } from 'undici';
import type { AtlasCredentials } from '../../lib/atlas/authenticator.ts';
import { createAtlasClient } from '../../lib/atlas/client.ts';
import { Cluster, getGroupCluster } from '../../lib/atlas/operations/clusters.ts';
import { createTransport } from '../../lib/atlas/transport.ts';
import { systemClock } from '../../lib/runtime/clock.ts';
import { deadlineIn } from '../../lib/runtime/deadline.ts';
import { projectId } from './client-endpoint.ts';

const run = promisify(execFile);

/** One way to read a cluster. */
export interface Reader {
  readonly name: string;
  /** Undefined where the package could not be had. */
  readonly read: (() => Promise<Cluster>) | undefined;
}

export const CLUSTER = { groupId: projectId(1), clusterName: 'cluster-1' };
const V2 = `/api/atlas/v2/groups/${CLUSTER.groupId}/clusters/${CLUSTER.clusterName}`;
const ACCEPT = `application/vnd.atlas.${getGroupCluster.version}+json`;
const SERVICE_ACCOUNT = { clientId: 'mdb_sa_id_6615c0ffee15c0ffee15c0ff', clientSecret: 'mdb_sa_sk_bench' };
const API_KEYS = { publicKey: 'benchkey', privateKey: '00000000-0000-0000-0000-000000000000' };

/** What the readers are measured against: a request, its JSON, the schema, and nothing else. */
export async function bareReader(origin: string): Promise<Reader & { read: () => Promise<Cluster> }> {
  const dispatcher = new Agent();
  const headers = { accept: ACCEPT, authorization: await bearer(origin), 'user-agent': 'bench' };
  return {
    name: 'undici.request + zod',
    async read() {
      const { body } = await request(origin + V2, { dispatcher, headers });
      return Cluster.parse(await body.json());
    },
  };
}

/** Our client as the functions use it: under a deadline that all calls of an invocation share. */
export function ourReader(
  origin: string,
  by: 'service account' | 'API keys',
): Reader & { read: () => Promise<Cluster> } {
  const credentials: AtlasCredentials = by === 'API keys' ? API_KEYS : SERVICE_ACCOUNT;
  const client = createAtlasClient({ origin, credentials: async () => credentials, transport: createTransport() });
  const deadline = deadlineIn(600_000, systemClock);
  return {
    name: `atlas.call, ${by}`,
    read: () => client.call(getGroupCluster, { params: CLUSTER }, deadline),
  };
}

/** Packages people reach for instead, from a folder they were installed into. */
export async function peerReaders(origin: string, folder: string | undefined): Promise<Reader[]> {
  if (folder === undefined) {
    return [
      { name: 'axios + zod', read: undefined },
      { name: 'mongodb-atlas-api-client + zod', read: undefined },
    ];
  }
  const load = createRequire(path.join(folder, 'package.json'));
  const axios = load('axios') as {
    create(options: unknown): { get(path: string): Promise<{ data: unknown }> };
  };
  const http = axios.create({
    baseURL: origin,
    httpAgent: new HttpAgent({ keepAlive: true }),
    headers: { accept: ACCEPT, authorization: await bearer(origin) },
  });
  const createPeer = load('mongodb-atlas-api-client') as (options: unknown) => {
    cluster: { get(name: string): Promise<unknown> };
  };
  const peer = createPeer({ ...API_KEYS, baseUrl: `${origin}/api/atlas/v1.0`, projectId: CLUSTER.groupId });
  const version = async (name: string): Promise<string> =>
    (JSON.parse(await readFile(path.join(folder, 'node_modules', name, 'package.json'), 'utf8')) as { version: string })
      .version;
  return [
    {
      name: `axios ${await version('axios')}, keep-alive + zod`,
      read: async () => Cluster.parse((await http.get(V2)).data),
    },
    {
      name: `mongodb-atlas-api-client ${await version('mongodb-atlas-api-client')} + zod`,
      read: async () => Cluster.parse(await peer.cluster.get(CLUSTER.clusterName)),
    },
  ];
}

/** Installs the packages to compare with into `folder`. Answers why it could not, if so. */
export async function installPeers(folder: string): Promise<string | undefined> {
  const packages = ['axios', 'mongodb-atlas-api-client'];
  const options = ['--prefix', folder, '--no-save', '--no-audit', '--no-fund', '--ignore-scripts'];
  const patience = ['--fetch-retry-mintimeout=500', '--fetch-retry-maxtimeout=2000'];
  // The npm that runs this, where one does.
  const npm = process.env['npm_execpath'];
  const [command, ...before] = npm === undefined ? ['npm'] : [process.execPath, npm];
  try {
    await run(command!, [...before, 'install', ...options, ...patience, ...packages], { cwd: folder, timeout: 30_000 });
    return undefined;
  } catch (error) {
    const { stderr = '', message } = error as { stderr?: string; message: string };
    return stderr.split('\n').find((line) => line.startsWith('npm error')) ?? message.split('\n')[0] ?? 'npm failed';
  }
}

async function bearer(origin: string): Promise<string> {
  const { body } = await request(`${origin}/api/oauth/token`, { method: 'POST' });
  return `Bearer ${((await body.json()) as { access_token: string }).access_token}`;
}
