/** What the documents of operation say, as far as a machine can tell: files that are named exist, and steps work. */
import { execFile } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it, onTestFinished } from 'vitest';
import { LAMBDAS } from '../../infra/build.ts';
import { addDeployment } from '../../infra/deployment.ts';
import { loadStages } from '../../infra/settings.ts';
import { catalogue } from '../../lib/atlas/catalogue.ts';
import { pageOf, recorded } from '../bench/cost.ts';
import { newApp, tinyBundles } from './synth.ts';

const DOCS = 'infra/docs';
const page = (name: string): string => readFileSync(path.join(DOCS, name), 'utf8');
const operations = page('operations.md');

describe('the threat model', () => {
  const rows = page('threat-model.md')
    .split('\n')
    .filter((line) => /^\| (\*\*)?[STRIDE]\b|^\| \*\*[STRIDE]/.test(line));

  it('has rows of all six kinds', () => {
    const kinds = new Set(rows.map((row) => /^\| \**([STRIDE])/.exec(row)?.[1]));
    expect([...kinds].join('')).toBe('STRIDE');
    expect(rows.length).toBeGreaterThan(20);
  });

  it('names a test for each row, which is there', () => {
    for (const row of rows) {
      const held = [...row.matchAll(/`(test\/[^`]+)`/g)].map(([, file = '']) => file);
      expect([row, held.length > 0 && held.every((file) => existsSync(file))]).toEqual([row, true]);
    }
  });
});

it('the page of costs holds what was measured, times the prices', { timeout: 120_000 }, () => {
  const [, held = ''] = /<!-- npm run bench -- cost -->\n([\s\S]*?)<!-- end -->/.exec(page('cost.md')) ?? [];
  expect(held.trim()).toBe(pageOf(recorded()).trim());
});

describe('every document', () => {
  const files = globSync('*.md', { cwd: DOCS });

  it('links to what is there', () => {
    for (const file of files)
      for (const [, target = ''] of page(file).matchAll(/\]\(([^)]+)\)/g)) {
        const [place = '', anchor] = target.split('#');
        const to = path.normalize(path.join(DOCS, place === '' ? file : place));
        expect([file, target, existsSync(to)]).toEqual([file, target, true]);
        const headings = [...readFileSync(to, 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, text = '']) =>
          text
            .toLowerCase()
            .replaceAll(/[^\p{L}\p{N} -]/gu, '')
            .replaceAll(' ', '-'),
        );
        if (anchor !== undefined) expect([file, target, headings.includes(anchor)]).toEqual([file, target, true]);
      }
  });

  it('names files, commands and operations that are there', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
    for (const file of files) {
      for (const [, script = ''] of page(file).matchAll(/npm run ([\w-]+)/g))
        expect([file, script, script in scripts]).toEqual([file, script, true]);
      for (const [, name = ''] of page(file).matchAll(/`((?:test|infra|functions|lib)\/[\w./-]+\.\w+)`/g))
        expect([file, name, existsSync(name)]).toEqual([file, name, true]);
    }
    const known = new Set(catalogue.keys());
    const section = operations.slice(operations.indexOf('## The accounts in Atlas'));
    for (const [, name = ''] of section.matchAll(/`([a-z]+(?:Group|Org)[A-Za-z]+|listGroups)`/g))
      expect([name, known.has(name)]).toEqual([name, true]);
  });
});

describe('the operations guide', () => {
  it('says of every function which account it needs', () => {
    const section = operations.slice(operations.indexOf('## The accounts in Atlas'));
    for (const lambda of Object.values(LAMBDAS))
      expect([lambda, section.includes(`\`${lambda}\``)]).toEqual([lambda, true]);
  });

  /** The steps of "Deploy", in a folder of their own: the example copied, then made somebody's. */
  const customized = async (): Promise<string> => {
    const folder = await mkdtemp(path.join(tmpdir(), 'operations-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const [copy = ''] = /^ *cp (\S+) settings\.yaml$/m.exec(operations) ?? [];
    const file = path.join(folder, 'settings.yaml');
    const [, , from = ''] = /^ *(cp) (\S+)/.exec(copy) ?? [];
    await writeFile(file, await readFile(from));
    const settings = JSON.parse(await readFile(file, 'utf8')) as Record<string, Record<string, unknown>>;
    settings['stack'] = { ...settings['stack'], name: 'ours', account: '111122223333', region: 'eu-central-1' };
    settings['alarms'] = { email: 'ours@example.com' };
    await writeFile(file, JSON.stringify(settings));
    return file;
  };
  const deployed = (file: string) => {
    const app: App = newApp();
    const [staged] = loadStages(file);
    if (!staged) throw new TypeError('there is one stage');
    return addDeployment(app, staged, tinyBundles());
  };

  it('leads to stacks with the name, place and address that were set', { timeout: 120_000 }, async () => {
    const { functions, data } = deployed(await customized());
    expect([functions.stackName, data?.stackName]).toEqual(['ours', 'ours-data']);
    expect([functions.account, functions.region]).toEqual(['111122223333', 'eu-central-1']);
    const template = Template.fromStack(functions);
    template.hasResourceProperties('AWS::SNS::Subscription', { Protocol: 'email', Endpoint: 'ours@example.com' });
    const outputs = Object.keys(template.findOutputs('*'));
    for (const name of ['ReceiveAtlasAlert', 'ReceiveTicketUpdate'])
      expect(outputs.some((output) => output.startsWith(name))).toBe(true);
  });

  it('says what the doctor says', { timeout: 120_000 }, async () => {
    const file = await customized();
    const doctor = promisify(execFile)(process.execPath, ['infra/local/doctor.ts', '--settings', file, '--json'], {
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'] },
    });
    // What it finds depends on this machine (bundles, credentials); that it looks at this file does not.
    const { stdout } = await doctor.catch((failed: { stdout?: string }) => ({ stdout: failed.stdout ?? '' }));
    expect(JSON.stringify(JSON.parse(stdout))).toContain('settings');
  });

  it('has a capability go with its credentials, and a secret come and go with its line', {
    timeout: 120_000,
  }, async () => {
    const file = await customized();
    const settings = JSON.parse(await readFile(file, 'utf8')) as {
      atlas: { credentials: Record<string, unknown> };
      rotation: { secrets: { secret: string }[] };
    };
    delete settings.atlas.credentials['migration'];
    settings.rotation.secrets.push({ secret: 'atlas/adopted' });
    await writeFile(file, JSON.stringify(settings));
    const template = Template.fromStack(deployed(file).functions);
    const schedules = template.findResources('AWS::SecretsManager::RotationSchedule');
    expect(Object.values(schedules).map(({ Properties }) => Properties.SecretId)).toContain('atlas/adopted');
    for (const { Properties } of Object.values(schedules)) expect(Properties.RotateImmediatelyOnUpdate).toBe(false);
    expect(JSON.stringify(template.toJSON())).not.toContain('command-live-migration');
  });

  it('can say that data, reports and logs stay when the stacks go', { timeout: 120_000 }, async () => {
    const { functions, data } = deployed(await customized());
    if (!data) throw new TypeError('the example remembers something');
    expect(data.terminationProtection).toBe(true);
    const kept = Template.fromStack(data);
    for (const type of ['AWS::DynamoDB::Table', 'AWS::S3::Bucket'])
      for (const { DeletionPolicy } of Object.values(kept.findResources(type))) expect(DeletionPolicy).toBe('Retain');
    for (const type of ['AWS::Logs::LogGroup', 'AWS::Events::Archive'])
      for (const { DeletionPolicy } of Object.values(Template.fromStack(functions).findResources(type)))
        expect(DeletionPolicy).toMatch(/^Retain/);
  });
});
