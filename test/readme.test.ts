import { execFile } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { createAtlasSandbox } from '../infra/local/atlas-sandbox/sandbox.ts';

const readme = readFileSync('README.md', 'utf8');

it('the README’s example of the client runs as it stands', async () => {
  const [, example = ''] = /<!-- executed by test\/readme\.test\.ts -->\n```ts\n([\s\S]*?)```/.exec(readme) ?? [];
  const folder = await mkdtemp(path.join(tmpdir(), 'atlas-automation-readme-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = path.join(folder, 'example.ts');
  // It would lie at the top of the checkout; from elsewhere its imports need the whole way.
  await writeFile(
    file,
    example.replaceAll(/'\.\/(lib\/[^']+)'/g, (_, name: string) => `'${pathToFileURL(path.resolve(name)).href}'`),
  );

  const { world, listen } = createAtlasSandbox();
  await using server = await listen();
  const org = world.addOrg({ name: 'Example' });
  const project = world.addProject(org, { name: 'shop' });
  world.clusters.add(project, { name: 'orders', backupEnabled: true });
  world.clusters.add(project, { name: 'scratch', backupEnabled: false });
  const reader = world.addOrgAccount(org, { name: 'reader', roles: ['ORG_READ_ONLY'] });

  const { stdout } = await promisify(execFile)(process.execPath, [file], {
    env: {
      MONGODB_ATLAS_BASE_URL: server.origin,
      MONGODB_ATLAS_CLIENT_ID: reader.clientId,
      MONGODB_ATLAS_CLIENT_SECRET: world.addSecret(reader).value,
    },
  });

  expect(stdout.trim().split('\n')).toEqual(['shop/orders: backed up', 'shop/scratch: NOT backed up']);
  expect(world.liveTokens(reader.clientId)).toHaveLength(0);
});

it('the README names the two commands', () => {
  for (const command of ['npm ci && npm start', 'npm ci && npm test']) expect(readme).toContain(command);
});

it('what the README and the runbooks point at is there', () => {
  for (const page of ['README.md', 'CONTRIBUTING.md', 'functions/rotate-service-account-secret/README.md']) {
    for (const [, target = ''] of readFileSync(page, 'utf8').matchAll(/\]\((?!https?:)([^)#]+)\)/g)) {
      expect(() => statSync(path.join(path.dirname(page), target)), `${page} -> ${target}`).not.toThrow();
    }
  }
});

it('the runbook has an entry for every way a rotation stops', () => {
  const errors = readFileSync('functions/rotate-service-account-secret/errors.ts', 'utf8');
  const runbook = readFileSync('functions/rotate-service-account-secret/README.md', 'utf8');
  for (const [code] of errors.matchAll(/ROTATION_\w+/g)) expect(runbook).toContain(`\`${code}\``);
});
