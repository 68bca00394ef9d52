/** What one run writes down of every project and cluster: the report is made of it, and the next run begins with it. */
import type {
  AlertFact,
  ComplianceFact,
  EventFact,
  ExportFact,
  MemoryFact,
  RestoreFact,
  ScheduleFact,
  SnapshotFact,
} from './facts.ts';
import type { ClusterBase } from './inventory/normalise.ts';
import type { ClusterSummary, Finding, Unreadable } from './report.ts';

/** A value that was read, and when. */
export interface Kept<Value> {
  readonly value: Value;
  readonly at: number;
}

/** What a run that asks less need not ask again. */
export interface ProjectMemory {
  readonly compliance?: Kept<ComplianceFact | null>;
  readonly alerts?: Kept<readonly AlertFact[]>;
  readonly events?: Kept<readonly EventFact[]>;
  readonly eventsSince?: number;
}

export interface ClusterMemory {
  /** The cluster as it said it was: another schedule is likely where it says something else. */
  readonly base: Pick<ClusterBase, 'backupEnabled' | 'pitEnabled' | 'paused' | 'zones'>;
  readonly schedule?: Kept<ScheduleFact | null>;
  readonly snapshots?: Kept<readonly SnapshotFact[]>;
  readonly restores?: Kept<readonly RestoreFact[]>;
  readonly exports?: Kept<readonly ExportFact[]>;
  readonly facts: MemoryFact;
}

export interface ProjectRecord {
  readonly kind: 'project';
  readonly id: string;
  readonly name: string;
  /** False where its clusters could not be listed. */
  readonly read: boolean;
  readonly unreadable: readonly Unreadable[];
  readonly excludedInternal: number;
  readonly findings: readonly Finding[];
  /** Findings whose cluster is no more. */
  readonly gone: readonly Finding[];
  readonly memory: ProjectMemory;
}

export interface ClusterRecord {
  readonly kind: 'cluster';
  readonly projectId: string;
  /** Whether everything the policy asks for was read. */
  readonly complete: boolean;
  readonly summary: ClusterSummary;
  readonly findings: readonly Finding[];
  readonly memory: ClusterMemory;
}

/** What a part is about; its first line. */
export interface PartHeader {
  readonly kind: 'part';
  readonly projects: readonly string[];
}

export type Line = PartHeader | ProjectRecord | ClusterRecord;

/**
 * A cluster as a line. Its summary and its findings stand last and in this order, so that a report can take both over as
 * they are: between two quotes that no string can hold, since JSON escapes them there.
 */
export const clusterLine = ({ summary, findings, ...rest }: ClusterRecord): string =>
  `${JSON.stringify(rest).slice(0, -1)}${SUMMARY}${JSON.stringify(summary)}${FINDINGS}${JSON.stringify(findings).slice(1)}}`;

const SUMMARY = ',"summary":';
const FINDINGS = ',"findings":[';

/** The summary of a cluster's line, as JSON. */
export function summaryIn(line: string): string {
  const from = line.indexOf(SUMMARY) + SUMMARY.length;
  return line.slice(from, line.indexOf(FINDINGS, from));
}

/** The findings of a cluster's line: JSON, with commas between them. */
export const findingsIn = (line: string): string =>
  line.slice(line.indexOf(FINDINGS, line.indexOf(SUMMARY)) + FINDINGS.length, -2);

/** The one typed boundary: parts are written by this function alone, and their hashes are in the manifest. */
export function parseLine(text: string): Line {
  const value: unknown = JSON.parse(text);
  if (!isLine(value)) throw new TypeError('a line of a part is none of its kinds');
  return value;
}
/** A line that has to be a project's. */
export function projectIn(text: string | undefined): ProjectRecord {
  const line = parseLine(text ?? 'null');
  if (line.kind !== 'project') throw new TypeError('a line of a part is no project');
  return line;
}

/** A line that has to be a cluster's. */
export function clusterIn(text: string): ClusterRecord {
  const line = parseLine(text);
  if (line.kind !== 'cluster') throw new TypeError('a line of a part is no cluster');
  return line;
}

const kinds: ReadonlySet<unknown> = new Set(['part', 'project', 'cluster']);
const isLine = (value: unknown): value is Line =>
  typeof value === 'object' && value !== null && 'kind' in value && kinds.has(value.kind);
