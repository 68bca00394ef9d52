import type { ReportSource } from '../report.ts';
import { jsonArray, jsonArrayOf, jsonLines } from './streamed.ts';

/** The whole report, as report.schema.json describes it. */
export async function* reportJson({ head, clusters, findings, text }: ReportSource): AsyncGenerator<string> {
  yield `${JSON.stringify(head).slice(0, -1)},\n"clusters":`;
  yield* text ? jsonArrayOf(text.clusters()) : jsonArray(clusters());
  yield ',\n"findings":';
  yield* text ? jsonArrayOf(text.findings()) : jsonArray(findings());
  yield '}\n';
}

/** One finding a line, as the report has them. */
export const findingLines = ({ findings }: ReportSource): AsyncGenerator<string> => jsonLines(findings());
