import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Ajv } from 'ajv';
import formats from 'ajv-formats';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Report } from '../../functions/audit-snapshot-schedules/report.ts';
import { anyReport, hostileNames } from '../support/any-audit-report.ts';
import { realisticReport } from '../support/audit-report.ts';
import { rendered } from '../support/rendered.ts';
import { installAlone, type NpmPackage } from './npm-package.ts';
import { type Python, pythonWith } from './python-packages.ts';

/** Holds the SARIF 2.1.0 schema of OASIS, as sarif-2.1.0-rtm.5.json. */
const SARIF = ['@microsoft/jest-sarif', '1.0.0-beta.0'] as const;
/** Holds the OCSF schema, here 1.6.0. */
const OCSF = 'ocsf-json-schema==1.2.0';
/** Holds AWS's own model of Security Hub, from which the SDKs are made: there is no other published schema of ASFF. */
const ASFF = 'botocore==1.44.5';

const reports: readonly (readonly [string, Report])[] = [
  ['ordinary', realisticReport({ clusters: 200, troubled: 0.4, unreadableProjects: 3 })],
  ['empty', realisticReport({ clusters: 0 })],
  [
    'hostile',
    realisticReport({
      clusters: hostileNames.length,
      troubled: 0.8,
      unreadableProjects: hostileNames.length,
      clusterName: (at) => hostileNames[at % hostileNames.length]!,
      projectName: (at) => hostileNames[at % hostileNames.length]!,
      reason: () => hostileNames.join(' '),
    }),
  ],
  ...fc.sample(anyReport, { numRuns: 10, seed: 11 }).map((report, at) => [`arbitrary ${at}`, report] as const),
];

let sarif: NpmPackage;
let python: Python;
beforeAll(async () => {
  [sarif, python] = await Promise.all([installAlone(...SARIF), pythonWith(OCSF, 'jsonschema==4.26.0', ASFF)]);
}, 300_000);
afterAll(() => Promise.all([sarif?.[Symbol.asyncDispose](), python?.[Symbol.asyncDispose]()]));

async function judged(files: ReadonlyMap<string, string>): Promise<Record<string, string[]>> {
  const folder = await mkdtemp(path.join(tmpdir(), 'audit-outputs-'));
  try {
    for (const [name, text] of files) await writeFile(path.join(folder, name), text);
    return JSON.parse(await python.run(path.join(import.meta.dirname, 'judge-outputs.py'), folder));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function sarifProblems(text: string): Promise<unknown> {
  const schema = await readFile(path.join(sarif.folder, 'lib/schemas/sarif-2.1.0-rtm.5.json'), 'utf8');
  // Draft 4 differs from draft 7 in what names a schema, and for this one in nothing else; its patterns are not for /u.
  const { id, $schema, ...rest } = JSON.parse(schema);
  expect([id, $schema]).toEqual([expect.stringContaining('sarif-2.1.0'), expect.stringContaining('draft-04')]);
  const validate = formats.default(new Ajv({ strict: false, unicodeRegExp: false })).compile(rest);
  validate(JSON.parse(text));
  return validate.errors?.slice(0, 10) ?? [];
}

describe.each(reports)('the files of an audit, %s,', (_, report) => {
  it('are SARIF 2.1.0', async () => {
    expect(await sarifProblems((await rendered(report)).get('report.sarif') ?? '')).toEqual([]);
  });

  it('are OCSF, ASFF and XML', async () => {
    expect(await judged(await rendered(report))).toEqual({
      'findings.ocsf.ndjson': [],
      'asff-batches.ndjson': [],
      'junit.xml': [],
    });
  }, 120_000);
});

describe('the judges', () => {
  it('find what is wrong', async () => {
    const files = await rendered(reports[0]![1]);
    const spoiled = new Map([...files].map(([name, text]) => [name, spoil(name, text)]));
    expect(Object.values(await judged(spoiled)).map((problems) => problems.length > 0)).toEqual([true, true, true]);
    expect(await sarifProblems(spoiled.get('report.sarif') ?? '')).not.toEqual([]);
  });
});

/** One small mistake each. */
const spoil = (name: string, text: string): string =>
  name === 'junit.xml'
    ? text.replace(/<testcase [^>]*\/>\n/, '')
    : text
        .replace('"severity_id":', '"gravity_id":')
        .replace('"Severity":{"Label"', '"Severity":{"Lable"')
        .replace('"baselineState":"', '"baselineState":"re');
