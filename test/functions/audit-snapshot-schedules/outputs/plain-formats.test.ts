import { readFileSync, writeFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { renderAll } from '../../../../functions/audit-snapshot-schedules/outputs/render-all.ts';
import { type Finding, Report, sourceOf } from '../../../../functions/audit-snapshot-schedules/report.ts';
import { anyReport, hostileNames } from '../../../support/any-audit-report.ts';
import { assemble, realisticReport } from '../../../support/audit-report.ts';
import { assertProperty } from '../../../support/properties.ts';
import { allOf, linesOf, rendered, renderedAs, target } from '../../../support/rendered.ts';

const SCHEMA = new URL('../../../../functions/audit-snapshot-schedules/report.schema.json', import.meta.url);
const ordinary = realisticReport({ clusters: 30, troubled: 0.4, unreadableProjects: 2 });

describe('the files of a report', () => {
  it('are one a format, two tables, and none for Security Hub without somebody to send it to', () => {
    const names = (options?: object): string[] => renderAll(sourceOf(ordinary), options).map(({ name }) => name);
    expect(names({ securityHub: target })).toEqual([
      'report.json',
      'findings.ndjson',
      'findings.csv',
      'clusters.csv',
      'report.sarif',
      'findings.ocsf.ndjson',
      'asff-batches.ndjson',
      'junit.xml',
      'report.html',
    ]);
    expect(names()).not.toContain('asff-batches.ndjson');
    expect(names({ formats: ['csv'] })).toEqual(['findings.csv', 'clusters.csv']);
  });

  it('are the same for the same report', async () => {
    await assertProperty(
      fc.asyncProperty(anyReport, async (report) => {
        expect(await rendered(report)).toEqual(await rendered(structuredClone(report)));
      }),
      { numRuns: 20 },
    );
  });

  it('come in pieces, never a whole large file at once', async () => {
    const large = realisticReport({ clusters: 400 });
    for (const { name, body } of renderAll(sourceOf(large), { securityHub: target })) {
      if (name === 'report.html') continue;
      const pieces = await allOf(body());
      expect(Math.max(...pieces.map(({ length }) => length)), name).toBeLessThan(1_000_000);
    }
  });
});

describe('report.json', () => {
  it('is the report, and fits its schema', async () => {
    await assertProperty(
      fc.asyncProperty(anyReport, async (report) => {
        const read: unknown = JSON.parse(await renderedAs('json', report));
        expect(read).toEqual(JSON.parse(JSON.stringify(report)));
        expect(Report.safeParse(read).error).toBeUndefined();
      }),
      { numRuns: 50 },
    );
  });

  it('fits the schema that is published, which is up to date', async () => {
    const now = { $id: 'audit-report', title: 'Snapshot-schedule audit', ...z.toJSONSchema(Report) };
    if (process.env['UPDATE']) writeFileSync(SCHEMA, JSON.stringify(now, null, 2));
    expect(JSON.parse(readFileSync(SCHEMA, 'utf8')), 'UPDATE=1 writes it anew').toEqual(
      JSON.parse(JSON.stringify(now)),
    );
    const ajv = formats.default(new Ajv2020({ strict: false }));
    const validate = ajv.compile(now);
    for (const report of [ordinary, realisticReport({ clusters: 0 })]) {
      expect(validate(JSON.parse(await renderedAs('json', report))), JSON.stringify(validate.errors)).toBe(true);
    }
    expect(validate({ ...ordinary, exitState: 'fine' })).toBe(false);
  });

  it('has every finding once more as a line', async () => {
    expect(linesOf<Finding>(await renderedAs('ndjson', ordinary))).toEqual(ordinary.findings);
  });
});

/** Reads CSV as RFC 4180 has it. */
function parsed(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  for (const [, quoted, plain = '', end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
    row.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end !== ',') {
      rows.push(row);
      row = [];
    }
  }
  return rows;
}

describe('findings.csv', () => {
  it('A35 has no cell that a spreadsheet would compute, and loses nothing', async () => {
    await assertProperty(
      fc.asyncProperty(anyReport, async (report) => {
        const text = (await rendered(report, { formats: ['csv'] })).get('findings.csv') ?? '';
        const [header = [], ...rows] = parsed(text);
        expect(rows).toHaveLength(report.findings.length);
        for (const [at, row] of rows.entries()) {
          expect(row).toHaveLength(header.length);
          for (const cell of row) expect(cell).not.toMatch(/^\s*[=+\-@＝＋－＠]|^[\t\r\n]/);
          const { clusterName, reason } = report.findings[at]!;
          const read = (name: string): string => row[header.indexOf(name)]!;
          expect([clusterName ?? '', `'${clusterName}`]).toContain(read('cluster'));
          expect([reason, `'${reason}`]).toContain(read('reason'));
        }
      }),
    );
  });

  it.each(hostileNames.filter((name) => /^[=+\-@]/.test(name)))('shows %j as text', async (name) => {
    const report = realisticReport({ clusters: 1, clusterName: () => name });
    const files = await rendered(report, { formats: ['csv'] });
    for (const text of files.values()) expect(parsed(text).flat()).toContain(`'${name}`);
  });
});

describe('junit.xml', () => {
  const numbers = (element: string): Record<string, number> =>
    Object.fromEntries(
      [...element.matchAll(/ (tests|failures|errors|skipped)="(\d+)"/g)].map(([, name, n]) => [name, Number(n)]),
    );

  it('counts what it has: a failure each FAIL, an error each UNKNOWN, whole and by project', async () => {
    await assertProperty(
      fc.asyncProperty(anyReport, async (report) => {
        const text = await renderedAs('junit', report);
        const judged = report.findings.filter(({ change }) => change !== 'gone');
        const status = (...wanted: string[]): number => judged.filter((f) => wanted.includes(f.status)).length;
        const [, whole = ''] = /<testsuites([^>]*)>/.exec(text) ?? [];
        expect(numbers(whole)).toEqual({
          tests: judged.length,
          failures: status('FAIL'),
          errors: status('UNKNOWN'),
          skipped: status('EXEMPT', 'NOT_APPLICABLE'),
        });
        const suites = text.split('<testsuite ').slice(1);
        expect(suites.map((suite) => numbers(` ${suite.split('\n')[0]}`)['tests'])).toEqual(
          suites.map((suite) => suite.split('<testcase ').length - 1),
        );
        expect(text.split('<failure ').length - 1).toBe(status('FAIL'));
      }),
    );
  });

  it('has no character that XML cannot have', async () => {
    const report = realisticReport({
      clusters: hostileNames.length,
      clusterName: (at) => hostileNames[at]!,
      reason: () => hostileNames.join(),
    });
    const text = await renderedAs('junit', report);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(text).not.toMatch(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\uFFFE\uFFFF]|\p{Surrogate}/u);
    expect(text).not.toContain('<script');
  });

  it('is a run without tests where there is nothing', async () => {
    expect(await renderedAs('junit', assemble([], []))).toContain(
      'tests="0" failures="0" errors="0" skipped="0">\n</testsuites>',
    );
  });
});
