import * as z from 'zod';
import type { OutputFile, ReportSource } from '../report.ts';
import type { SecurityHubTarget } from './asff.ts';
import { chunked } from './streamed.ts';

export const formats = ['json', 'ndjson', 'csv', 'sarif', 'ocsf', 'asff', 'junit', 'html'] as const;
export const Format = z.enum(formats);
export type Format = z.output<typeof Format>;

export interface RenderOptions {
  /** All of them unless given. */
  readonly formats?: readonly Format[];
  /** Without it there is nobody to address an ASFF file to, and there is none. */
  readonly securityHub?: SecurityHubTarget | undefined;
}

/**
 * The files of a report. Each is written while it is read, from the source, and its format is loaded then: nothing is
 * held that was not asked for. HTML and JUnit read the findings twice. Same report, same bytes.
 */
export function renderAll(
  source: ReportSource,
  { formats: wanted = formats, securityHub }: RenderOptions = {},
): readonly OutputFile[] {
  const file = (name: string, contentType: string, write: () => Promise<AsyncIterable<string>>): OutputFile => ({
    name,
    contentType,
    async *body() {
      yield* chunked(await write());
    },
  });
  const files: Readonly<Record<Format, () => readonly OutputFile[]>> = {
    json: () => [file('report.json', 'application/json', async () => (await import('./json.ts')).reportJson(source))],
    ndjson: () => [
      file('findings.ndjson', 'application/x-ndjson', async () => (await import('./json.ts')).findingLines(source)),
    ],
    csv: () => [
      file('findings.csv', CSV, async () => (await import('./csv.ts')).findingsCsv(source)),
      file('clusters.csv', CSV, async () => (await import('./csv.ts')).clustersCsv(source)),
    ],
    sarif: () => [
      file('report.sarif', 'application/sarif+json', async () => (await import('./sarif.ts')).sarif(source)),
    ],
    ocsf: () => [
      file('findings.ocsf.ndjson', 'application/x-ndjson', async () => (await import('./ocsf.ts')).ocsf(source)),
    ],
    asff: () =>
      securityHub
        ? [
            file('asff-batches.ndjson', 'application/x-ndjson', async () =>
              (await import('./asff.ts')).asffBatches(source, securityHub),
            ),
          ]
        : [],
    junit: () => [file('junit.xml', 'application/xml', async () => (await import('./junit.ts')).junit(source))],
    html: () => [
      {
        ...file('report.html', 'text/html; charset=utf-8', async () =>
          (await import('./html/report-page.ts')).reportPage(source),
        ),
        isLeft: true,
      },
    ],
  };
  return wanted.flatMap((format) => files[format]());
}

const CSV = 'text/csv; charset=utf-8; header=present';
