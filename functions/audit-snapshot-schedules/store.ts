/** Where a run keeps what it has done, part by part, and where the next one finds it. */
import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { Reports } from '../../lib/aws/reports.ts';
import type { Deadline } from '../../lib/runtime/deadline.ts';
import type { AuditedProject, PreviousProject } from './audit-project.ts';
import { type ClusterRecord, type Line, type ProjectRecord, parseLine } from './records.ts';
import { ReportHead } from './report.ts';

/** Clusters, or projects without any, after which a part is written: what a run that dies loses at the most. */
const PART_CLUSTERS = 100;
const PART_PROJECTS = 250;
/** Parts of the last run held at a time; projects come in one order, so few are needed. */
const HELD_PARTS = 6;

export const NDJSON = 'application/x-ndjson';

export const keys = {
  folder: (organizationId: string) => `audits/${organizationId}`,
  run: (organizationId: string, runId: string) => `audits/${organizationId}/runs/${runId}`,
  part: (organizationId: string, runId: string, nth: number) =>
    `audits/${organizationId}/runs/${runId}/parts/${String(nth).padStart(5, '0')}.ndjson`,
  manifest: (organizationId: string, runId: string) => `audits/${organizationId}/runs/${runId}/manifest.json`,
  latest: (organizationId: string) => `audits/${organizationId}/latest.json`,
  announced: (organizationId: string) => `audits/${organizationId}/announced.json`,
};

const File = z.object({ key: z.string(), bytes: z.int(), sha256: z.string() });

/** What a run left behind, with the hash of every file. */
export const Manifest = z.object({
  schemaVersion: z.literal(1),
  runId: z.string(),
  organizationId: z.string(),
  finishedAt: z.iso.datetime(),
  exitState: ReportHead.shape.exitState,
  policyDigest: z.string(),
  files: z.array(File.extend({ name: z.string(), contentType: z.string() })),
  /** Each cluster stands in exactly one. */
  parts: z.array(File.extend({ projects: z.array(z.string()), clusters: z.array(z.string()) })),
});
export type Manifest = z.output<typeof Manifest>;

export const sha256 = (body: string | Uint8Array): string => createHash('sha256').update(body).digest('hex');

const decoder = new TextDecoder();
export const textOf = (body: Uint8Array): string => decoder.decode(body);

/** The lines of a part, from its bytes. */
export function* linesOf(body: Uint8Array): Generator<Line> {
  for (const text of textOf(body).split('\n')) if (text !== '') yield parseLine(text);
}

/** Puts finished projects into parts, and writes a part as soon as it is full. */
export function createPartWriter(
  {
    reports,
    organizationId,
    runId,
    deadline,
  }: { reports: Reports; organizationId: string; runId: string; deadline: Deadline },
  first: number,
  written: () => Promise<void>,
) {
  let nth = first;
  let projects: string[] = [];
  let lines: string[] = [];
  let clusters = 0;
  let last: Promise<void> = Promise.resolve();

  const flush = (): Promise<void> => {
    if (projects.length === 0) return last;
    const header = JSON.stringify({ kind: 'part', projects });
    const body = `${[header, ...lines].join('\n')}\n`;
    const key = keys.part(organizationId, runId, nth);
    [nth, projects, lines, clusters] = [nth + 1, [], [], 0];
    // One after the other, so that a run that was taken over stops at the first.
    last = last.then(async () => {
      await written();
      await reports.put(key, body, NDJSON, deadline);
    });
    return last;
  };

  return {
    async add({ project, clusters: own }: AuditedProject): Promise<void> {
      projects.push(project.id);
      lines.push(JSON.stringify(project), ...own.map((each) => JSON.stringify(each)));
      clusters += own.length;
      if (clusters >= PART_CLUSTERS || projects.length >= PART_PROJECTS) await flush();
    },
    /** Writes what is left; resolves when everything is stored. */
    flush,
  };
}

/** The keys of a run's parts, in order. */
export async function partsOf(
  reports: Reports,
  organizationId: string,
  runId: string,
  deadline: Deadline,
): Promise<string[]> {
  const found: string[] = [];
  const prefix = `${keys.run(organizationId, runId)}/parts/`;
  for await (const key of reports.list(prefix, deadline)) found.push(key);
  return found.toSorted();
}

/** Reads a file that has to be there. */
export async function mustGet(reports: Reports, key: string, deadline: Deadline): Promise<Uint8Array> {
  const body = await reports.get(key, deadline);
  if (!body) throw new Error(`the report bucket has lost ${key}`);
  return body;
}

/** The last finished run, project by project. */
export interface PreviousRun {
  readonly runId: string | undefined;
  readonly projectIds: ReadonlySet<string>;
  project(id: string): Promise<PreviousProject | undefined>;
}

export const noPreviousRun: PreviousRun = { runId: undefined, projectIds: new Set(), project: async () => undefined };

export async function openPreviousRun(
  reports: Reports,
  organizationId: string,
  runId: string | undefined,
  deadline: Deadline,
): Promise<PreviousRun> {
  if (runId === undefined) return noPreviousRun;
  const body = await reports.get(keys.manifest(organizationId, runId), deadline);
  // Where somebody removed it there is nothing to compare with: everything is new, and nothing is resolved.
  const parsed = body && Manifest.safeParse(JSON.parse(textOf(body)));
  if (!parsed?.success) return noPreviousRun;
  const partOf = new Map(parsed.data.parts.flatMap(({ key, projects }) => projects.map((id) => [id, key] as const)));
  const held = new Map<string, Promise<Map<string, PreviousProject>>>();

  const open = (key: string): Promise<Map<string, PreviousProject>> => {
    const part = held.get(key) ?? mustGet(reports, key, deadline).then(projectsIn);
    // The one used last is the one to keep.
    held.delete(key);
    held.set(key, part);
    for (const oldest of held.keys()) {
      if (held.size <= HELD_PARTS) break;
      held.delete(oldest);
    }
    return part;
  };

  return {
    runId,
    projectIds: new Set(partOf.keys()),
    async project(id) {
      const key = partOf.get(id);
      return key === undefined ? undefined : (await open(key)).get(id);
    },
  };
}

function projectsIn(body: Uint8Array): Map<string, PreviousProject> {
  const projects = new Map<string, { project: ProjectRecord; clusters: ClusterRecord[] }>();
  for (const line of linesOf(body)) {
    if (line.kind === 'project') projects.set(line.id, { project: line, clusters: [] });
    else if (line.kind === 'cluster') projects.get(line.projectId)?.clusters.push(line);
  }
  return projects;
}
