import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** Exactly one page of the largest size: the case in which the two readings of `next` differ. */
export const CLUSTERS_PER_PROJECT = 500;

export interface ServerSettings {
  /** Added to every answer, challenges included. */
  readonly latencyMs: number;
  readonly next: 'after a full page' | 'when there is more';
}

/** What the server was asked for. */
export interface Counts {
  mints: number;
  challenges: number;
  reads: number;
  pages: number;
}

export interface Server extends AsyncDisposable {
  readonly origin: string;
  counts(): Promise<Counts>;
}

export async function startServer(settings: ServerSettings): Promise<Server> {
  const script = fileURLToPath(new URL('client-server.ts', import.meta.url));
  const child = fork(script, [JSON.stringify(settings)], { execArgv: [] });
  const [{ port }] = (await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => Promise.reject(new Error('the server of the bench did not start'))),
  ])) as [{ port: number }];
  return {
    origin: `http://127.0.0.1:${port}`,
    async counts() {
      child.send('counts');
      const [counts] = (await once(child, 'message')) as [Counts];
      return counts;
    },
    async [Symbol.asyncDispose]() {
      const exit = once(child, 'exit');
      child.disconnect();
      await exit;
    },
  };
}

/** Project number `n`, as 24 hexadecimal digits. */
export const projectId = (n: number): string => n.toString(16).padStart(24, '6');

/** A replica set of three nodes as Atlas shows it, with what its operation reads and some of what it leaves out. */
export function clusterJson(groupId: string, name: string): string {
  const specs = { instanceSize: 'M10', nodeCount: 3, diskSizeGB: 10, diskIOPS: 3000, ebsVolumeType: 'STANDARD' };
  return JSON.stringify({
    id: '6615c0ffee15c0ffee15c0ff',
    groupId,
    name,
    clusterType: 'REPLICASET',
    stateName: 'IDLE',
    createDate: '2025-03-14T15:09:26Z',
    paused: false,
    backupEnabled: true,
    pitEnabled: false,
    terminationProtectionEnabled: true,
    mongoDBMajorVersion: '8.0',
    mongoDBVersion: '8.0.12',
    versionReleaseSystem: 'LTS',
    encryptionAtRestProvider: 'NONE',
    rootCertType: 'ISRGROOTX1',
    connectionStrings: { standardSrv: `mongodb+srv://${name}.ab1cd.mongodb.net` },
    replicationSpecs: [
      {
        id: '6615c0ffee15c0ffee15c0fe',
        zoneName: 'Zone 1',
        regionConfigs: [
          {
            providerName: 'AWS',
            regionName: 'EU_WEST_1',
            priority: 7,
            electableSpecs: specs,
            autoScaling: { compute: { enabled: false, scaleDownEnabled: false }, diskGB: { enabled: true } },
          },
        ],
      },
    ],
    tags: [{ key: 'environment', value: 'production' }],
    links: [],
  });
}
