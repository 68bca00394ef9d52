import {
  type Format,
  type RenderOptions,
  renderAll,
} from '../../functions/audit-snapshot-schedules/outputs/render-all.ts';
import { type Report, sourceOf } from '../../functions/audit-snapshot-schedules/report.ts';

export const target = { accountId: '000000000000', region: 'us-east-1' };

/** What there is to come, in one list. */
export async function allOf<T>(values: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const value of values) list.push(value);
  return list;
}

/** Every file of a report, whole, by name. */
export async function rendered(
  report: Report,
  options: RenderOptions = { securityHub: target },
): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const { name, body } of renderAll(sourceOf(report), options)) files.set(name, (await allOf(body())).join(''));
  return files;
}

/** The one file of a format that has one. */
export async function renderedAs(format: Format, report: Report): Promise<string> {
  const [text = ''] = (await rendered(report, { formats: [format], securityHub: target })).values();
  return text;
}

/** The values of a text of one JSON value a line. */
export const linesOf = <T>(text: string): T[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
