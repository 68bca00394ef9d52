/** AWS's own judge of templates (cfn-lint 1.58.0, from PyPI), over every stack of the example settings. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { deployed, EXAMPLES, example } from '../infra/synth.ts';

/** Ids that are not looked for. W3005: CDK names the role a function depends on, whether something else does or not. */
const PASSED_OVER = ['W3005'];

const folder = mkdtempSync(path.join(tmpdir(), 'templates-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const files: string[] = [];

beforeAll(() => {
  for (const name of Object.values(EXAMPLES).flat())
    for (const { stackName, template } of deployed(example(name)).app.synth().stacks) {
      const file = path.join(folder, `${path.basename(name).replaceAll(/\W/g, '-')}.${stackName}.json`);
      writeFileSync(file, JSON.stringify(template, null, 1));
      files.push(file);
    }
}, 240_000);

const lint = (given: readonly string[]): string => {
  const program = process.env['CFN_LINT'];
  if (!program) throw new Error('CFN_LINT must be the path of cfn-lint');
  try {
    return execFileSync(program, ['--format', 'parseable', '--ignore-checks', ...PASSED_OVER, '--', ...given], {
      encoding: 'utf8',
      stdio: 'pipe',
    });
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    return stdout + stderr || String(error);
  }
};

it('finds nothing in any of them', { timeout: 600_000 }, () => {
  expect(files).toHaveLength(13);
  expect(lint(files)).toBe('');
});

it('would find something', { timeout: 60_000 }, () => {
  const wrong = path.join(folder, 'wrong.json');
  writeFileSync(
    wrong,
    JSON.stringify({ Resources: { Queue: { Type: 'AWS::SQS::Queue', Properties: { Fifo: true } } } }),
  );
  expect(lint([wrong])).toContain('E3002');
});
