import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { seedDemoWorld } from '../../../infra/local/demo-world.ts';
import { startMachine } from '../../../infra/local/machine.ts';

import { rotateAndProve, settledByLabels } from '../../../infra/local/rotate-and-prove.ts';
import { summaryScreen } from '../../../infra/local/terminal/summary.ts';

interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

const start = (...args: string[]): Promise<Outcome> =>
  new Promise((resolve) => {
    execFile(process.execPath, ['infra/local/start.ts', ...args], (error, stdout, stderr) => {
      resolve({ status: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
  });

async function settingsFile(settings: unknown): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'atlas-automation-start-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = path.join(folder, 'settings.json');
  await writeFile(file, typeof settings === 'string' ? settings : JSON.stringify(settings));
  return file;
}

describe('npm start', () => {
  it('runs every capability on this machine and proves it', { timeout: 120_000 }, async () => {
    const { status, stdout, stderr } = await start('--json');

    expect(stderr).toContain(process.version);
    expect(status, stderr).toBe(0);
    const { proven, rotations, capabilities } = JSON.parse(stdout);
    expect(proven).toBe(true);
    expect(capabilities).toMatchObject([
      { capability: 'alert-to-ticket bridge', problem: null },
      { capability: 'snapshot-schedule audit', problem: null, pages: [expect.stringMatching(/backups\.html$/)] },
      { capability: 'live migration', problem: null },
    ]);
    expect(rotations.map(({ mode, scope }: { mode: string; scope: string }) => `${scope} ${mode}`)).toEqual([
      'org self',
      'org admin',
      'project self',
      'project admin',
    ]);
    for (const rotation of rotations) {
      expect(rotation).toMatchObject({
        moved: true,
        newWorks: 'yes',
        oldWorks: 'yes',
        problem: null,
        oldSecretId: expect.stringMatching(/^[0-9a-f]{24}$/),
      });
      expect(rotation.newSecretId).not.toBe(rotation.oldSecretId);
      expect(new Date(rotation.overlapUntil).getTime()).toBeGreaterThan(Date.now());
      expect(rotation.calls.atlas).toBeGreaterThan(5);
    }
    expect(stdout + stderr).not.toContain('mdb_sa_sk_');
  });

  it.each([
    ['an argument there is not', ['--nope'], /--nope/],
    ['settings that are not there', ['--settings', '/no/such/settings.json', '--yes'], /does not exist/],
  ])('ends with 2 for %s, and says how it is used', async (_, args, message) => {
    const { status, stdout, stderr } = await start(...args);
    expect(status).toBe(2);
    expect(stderr).toMatch(message);
    expect(stderr).toContain('npm start --');
    expect(stdout).toBe('');
  });

  it('ends with 2 for wrong settings, naming every problem', async () => {
    const file = await settingsFile({ rotation: { graceHours: 0, secrets: [{ secret: '' }] }, nope: 1 });
    const { status, stderr } = await start('--settings', file, '--yes');
    expect(status).toBe(2);
    for (const field of ['rotation.graceHours', 'rotation.secrets.0.secret', 'nope']) expect(stderr).toContain(field);
  });

  it('touches nothing real before it was told yes', async () => {
    const file = await settingsFile({ rotation: { secrets: [{ secret: 'atlas/payments' }] } });
    const { status, stderr } = await start('--settings', file);
    expect(status).toBe(2);
    expect(stderr).toContain('this would rotate for real');
  });
});

describe('a place where Secrets Manager drives the rotation by itself', () => {
  it('is watched by its labels until the rotation is over', async () => {
    await using machine = await startMachine({ bundles: inject('bundles') });
    const {
      secrets: [secret = ''],
    } = await seedDemoWorld(machine);
    const client = new SecretsManagerClient(machine.sdk);
    onTestFinished(() => client.destroy());
    const sleep = () => new Promise<void>((resolve) => setTimeout(resolve, 20));

    const proof = await rotateAndProve(
      {
        client,
        atlasOrigin: machine.atlasOrigin,
        rotationLambdaArn: machine.rotate.arn,
        settled: settledByLabels(client, sleep, 30_000),
      },
      secret,
    );

    expect(proof).toMatchObject({ moved: true, newWorks: 'yes', oldWorks: 'yes', problem: null, calls: null });
  });
});

describe('a rotation that does not work', () => {
  it('is told as such: nothing moved, nothing proven, one sentence why', async () => {
    await using machine = await startMachine({
      bundles: inject('bundles'),
      rotationRetry: { attempts: 1, delayMs: 0 },
    });
    const {
      secrets: [secret = ''],
    } = await seedDemoWorld(machine);
    const account = [...machine.atlas.world.accounts.values()].find(({ name }) => name === 'payments');
    if (!account) throw new Error('no account');
    machine.atlas.world.addSecret(account, { lastUsedAt: new Date() });
    const client = new SecretsManagerClient(machine.sdk);
    onTestFinished(() => client.destroy());

    const proof = await rotateAndProve(
      {
        client,
        atlasOrigin: machine.atlasOrigin,
        rotationLambdaArn: machine.rotate.arn,
        settled: () => machine.aws.secretsManager.rotationsSettled(),
      },
      secret,
    );

    expect(proof).toMatchObject({
      moved: false,
      newSecretId: null,
      problem: expect.stringContaining('AWSCURRENT is where it was'),
    });
    expect(summaryScreen({ proofs: [proof], stops: [], seconds: 1, colours: false })).toMatch(
      /FAILED +Rotation +1 of 1 secret were not rotated/,
    );
  });
});
