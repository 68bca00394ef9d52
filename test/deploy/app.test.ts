/** The CDK app as a process: what it refuses before anything is synthesized, and what it says then. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';

const ROOT = path.join(import.meta.dirname, '../..');
const folder = mkdtempSync(path.join(tmpdir(), 'app-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (settings: string, environment: Readonly<Record<string, string>> = {}) => {
  const out = mkdtempSync(path.join(folder, 'out-'));
  const { status, stderr } = spawnSync(process.execPath, [path.join(ROOT, 'infra/app.ts')], {
    cwd: ROOT,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], CDK_OUTDIR: out, CDK_CONTEXT_JSON: JSON.stringify({ settings }), ...environment },
  });
  return { status, stderr, written: readdirSync(out) };
};
const SLOW = 60_000;
const COMPANY = 'infra/examples/company.yaml';

it('wants one of several stages to be named', { timeout: SLOW }, () => {
  const { status, stderr, written } = run(COMPANY);
  expect(stderr).toBe(
    `${COMPANY} has several stages: name one (-c settings=${COMPANY}#emea), or all of them (${COMPANY}#all).\n`,
  );
  expect([status, written]).toEqual([1, []]);
});

it('refuses credentials of another account, or for another region', { timeout: SLOW }, () => {
  const here = { CDK_DEFAULT_ACCOUNT: '999999999999', CDK_DEFAULT_REGION: 'eu-west-1' };
  const { status, stderr, written } = run(`${COMPANY}#emea`, here);
  expect(stderr).toContain('stack.account: is 111122223333, and the credentials at hand are for 999999999999\n');
  expect(stderr).toContain('stack.region: is eu-central-1, and the credentials at hand are for eu-west-1\n');
  expect([status, written]).toEqual([1, []]);
});

it('says every problem by its path, and writes nothing', { timeout: SLOW }, () => {
  const file = path.join(folder, 'settings.yaml');
  writeFileSync(file, 'rotation: { secrets: [{ secret: "*" }] }\nstack: { name: "a b" }\nnobody: 1\n');
  const { status, stderr, written } = run(file);
  expect(stderr.split('\n').map((line) => line.split(':')[0]?.trim())).toEqual(
    expect.arrayContaining(['rotation.secrets.0.secret', 'stack.name', 'nobody']),
  );
  expect([status, written]).toEqual([1, []]);
});
