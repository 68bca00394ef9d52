import { execFile } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { createAtlasSandbox } from '../../../../infra/local/atlas-sandbox/sandbox.ts';
import { seedWorld } from '../../../../infra/local/atlas-sandbox/seeded-world.ts';
import { createMovableClock } from '../../../../infra/local/clock.ts';
import { createScene, failure, read, signIn } from './client.ts';

const source = (file: string): string =>
  pathToFileURL(fileURLToPath(new URL(`../../../../infra/local/atlas-sandbox/${file}`, import.meta.url))).href;
const size = { orgs: 2, projects: 20, clusters: 300, seed: 'test' };

function seeded() {
  const { world } = createAtlasSandbox({ clock: createMovableClock(new Date('2030-01-15T12:00:00Z')) });
  const { projects } = seedWorld(world, size);
  return { world, clusters: projects.flatMap(({ id }) => world.clusters.of(id)) };
}

describe('a seeded world', () => {
  it('holds as many clusters as asked for, of every kind', () => {
    const { clusters } = seeded();
    expect(clusters).toHaveLength(300);
    expect(new Set(clusters.map(({ kind }) => kind))).toEqual(new Set(['replicaSet', 'sharded', 'flex', 'free']));
  });

  it('is the same for the same seed', () => {
    const [one, other] = [seeded(), seeded()];
    expect(one.clusters).toEqual(other.clusters);
    const snapshotsOf = ({ world, clusters }: typeof one) =>
      clusters.slice(0, 50).map((each) => world.backups.snapshots(each));
    expect(snapshotsOf(one)).toEqual(snapshotsOf(other));
  });

  it('of 1,000 projects and 10,000 clusters starts in under 3 s and 300 MB', async () => {
    const script = `
      const { createAtlasSandbox } = await import('${source('sandbox.ts')}');
      const { seedWorld } = await import('${source('seeded-world.ts')}');
      const began = performance.now();
      const { world } = createAtlasSandbox();
      seedWorld(world, { orgs: 2, projects: 1000, clusters: 10_000, seed: 'large' });
      const { rss, heapUsed } = process.memoryUsage();
      process.stdout.write(JSON.stringify({ ms: performance.now() - began, rss, heapUsed, projects: world.projects.size }));
    `;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script]);
    const { ms, rss, heapUsed, projects } = JSON.parse(stdout);
    expect(projects).toBe(1000);
    expect(ms).toBeLessThan(3000);
    expect(rss).toBeLessThan(300e6);
    expect(heapUsed).toBeLessThan(150e6);
  });
});

describe('the options of the sandbox', () => {
  it('let every answer take its time', async () => {
    const { sandbox, owner } = createScene({ latencyMs: 50 });
    const { get } = await signIn(sandbox, owner);
    const began = performance.now();
    await get('/orgs');
    expect(performance.now() - began).toBeGreaterThanOrEqual(45);
  });

  it('make pages smaller', async () => {
    const { sandbox, owner, world, org } = createScene({ maxItemsPerPage: 2 });
    for (const name of ['a', 'b', 'c']) world.addProject(org, { name });
    const { get } = await signIn(sandbox, owner);
    expect((await read(await get('/groups'))).results).toHaveLength(2);
    expect(await failure(await get('/groups?itemsPerPage=3'))).toEqual({ status: 400, errorCode: 'INVALID_ATTRIBUTE' });
  });
});
