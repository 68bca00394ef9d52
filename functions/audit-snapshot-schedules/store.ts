/** Where a run keeps what it has done, and where the next one finds it. */
import * as z from 'zod';
import type { Reports } from '../../lib/aws/reports.ts';
import type { Deadline } from '../../lib/runtime/deadline.ts';
import type { PreviousProject } from './audit-project.ts';
import { createPartReader, textOf } from './parts.ts';
import { ReportHead } from './report.ts';

/** Chunks are numbered from 1; a run that is not split writes as the one before them. */
const chunkName = (chunk: number): string => String(chunk).padStart(5, '0');

const run = (organizationId: string, runId: string): string => `audits/${organizationId}/runs/${runId}`;
export const keys = {
  folder: (organizationId: string) => `audits/${organizationId}`,
  run,
  /** What the parts of a run, or of one chunk of it, begin with. */
  parts: (organizationId: string, runId: string, chunk?: number) =>
    `${run(organizationId, runId)}/parts/${chunk === undefined ? '' : `${chunkName(chunk)}-`}`,
  chunk: (organizationId: string, runId: string, chunk: number) =>
    `${run(organizationId, runId)}/chunks/${chunkName(chunk)}.json`,
  manifest: (organizationId: string, runId: string) => `${run(organizationId, runId)}/manifest.json`,
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
  /** `key` ends in `.gz` where the file was too large to be left as it is. */
  files: z.array(File.extend({ name: z.string(), contentType: z.string() })),
  /** Each cluster stands in exactly one. */
  parts: z.array(File.extend({ projects: z.array(z.string()), clusters: z.array(z.string()) })),
});
export type Manifest = z.output<typeof Manifest>;

/** The keys of a run's parts, in order. */
export async function partsUnder(reports: Reports, prefix: string, deadline: Deadline): Promise<string[]> {
  const found: string[] = [];
  for await (const key of reports.list(prefix, deadline)) found.push(key);
  return found.toSorted();
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
  const read = createPartReader(reports, deadline);
  return {
    runId,
    projectIds: new Set(partOf.keys()),
    async project(id) {
      const key = partOf.get(id);
      return key === undefined ? undefined : read(key, id);
    },
  };
}
