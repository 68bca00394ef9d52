/** What one run writes down of every project and cluster: the report is made of it, and the next run begins with it. */
import * as z from 'zod';
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

const Kind = z.looseObject({ kind: z.enum(['part', 'project', 'cluster']) });

/** The one typed boundary: parts are written by this function alone, and their hashes are in the manifest. */
export function parseLine(text: string): Line {
  const value: unknown = JSON.parse(text);
  if (!isLine(value)) throw new TypeError('a line of a part is none of its kinds');
  return value;
}
const isLine = (value: unknown): value is Line => Kind.safeParse(value).success;
