/** What a run has read and said, in files of its own: written while it goes, and read back project by project. */
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { Reports } from '../../lib/aws/reports.ts';
import type { Deadline } from '../../lib/runtime/deadline.ts';
import type { AuditedProject, PreviousProject } from './audit-project.ts';
import { clusterLine, type Line, type PartHeader, parseLine } from './records.ts';

/** Clusters, or projects without any, after which a part is written: what a run that dies loses at the most. */
const PART_CLUSTERS = 100;
const PART_PROJECTS = 250;
/** Parts open at a time; projects were read nearly in their order, so few are needed. */
const OPEN_PARTS = 6;
/** Parts of this run that are still in hand when they are read back, in bytes: ten thousand clusters, or so. */
const HELD_BYTES = 32 * 2 ** 20;
/** The fastest there is: parts are a tenth of their text even so. */
const LEVEL = 1;

const [pack, unpack] = [promisify(gzip), promisify(gunzip)];

/** A part as the manifest has it. */
export interface PartInfo {
  readonly key: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly projects: readonly string[];
  /** `<project id>/<cluster id>`. */
  readonly clusters: readonly string[];
}

export const sha256 = (body: string | Uint8Array): string => createHash('sha256').update(body).digest('hex');

const decoder = new TextDecoder();
export const textOf = (body: Uint8Array): string => decoder.decode(body);

/** Reads a file that has to be there. */
async function mustGet(reports: Reports, key: string, deadline: Deadline): Promise<Uint8Array> {
  const body = await reports.get(key, deadline);
  if (!body) throw new Error(`the report bucket has lost ${key}`);
  return body;
}

/** The lines of each project of a part, its own first. */
async function projectsOf(body: Uint8Array): Promise<Map<string, string[]>> {
  const projects = new Map<string, string[]>();
  let lines: string[] = [];
  for (const text of textOf(await unpack(body)).split('\n')) {
    if (text.startsWith('{"kind":"project"')) {
      lines = [];
      const project = parseLine(text);
      if (project.kind === 'project') projects.set(project.id, lines);
    }
    if (text !== '') lines.push(text);
  }
  return projects;
}

const clustersOf = (lines: readonly string[]): string[] =>
  lines.flatMap((text) => {
    const line = parseLine(text);
    return line.kind === 'cluster' ? [`${line.projectId}/${line.summary.clusterId}`] : [];
  });

/** Opens parts, and keeps the last few open. */
function createReader(load: (key: string) => Promise<Uint8Array>) {
  const opened = new Map<string, Promise<Map<string, string[]>>>();
  return (key: string): Promise<Map<string, string[]>> => {
    const part = opened.get(key) ?? load(key).then(projectsOf);
    // The one used last is the one to keep.
    opened.delete(key);
    opened.set(key, part);
    for (const oldest of opened.keys()) {
      if (opened.size <= OPEN_PARTS) break;
      opened.delete(oldest);
    }
    return part;
  };
}

export interface PartsOptions {
  readonly reports: Reports;
  /** What the keys of new parts begin with. */
  readonly prefix: string;
  readonly deadline: Deadline;
  /** Called before each part is written; what it throws ends the run. */
  readonly hold: () => Promise<void>;
  /** Writes nothing: everything stays in hand. */
  readonly dryRun: boolean;
}

/** The parts of one run. */
export interface Parts {
  /** What the manifest says of them, each project in one. */
  readonly list: readonly PartInfo[];
  has(projectId: string): boolean;
  /** Takes over a part that is there already; answers the lines of projects that no other part had before. */
  learn(key: string): Promise<Line[]>;
  /** Puts a finished project into the part under way, which is written as soon as it is full. */
  add(audited: AuditedProject): Promise<void>;
  /** Writes what is left; resolves when everything is stored. */
  flush(): Promise<void>;
  /** The lines of each project, its own first; projects by their ids. */
  projects(): AsyncGenerator<readonly string[]>;
}

export function createParts({ reports, prefix, deadline, hold, dryRun }: PartsOptions): Parts {
  const list: PartInfo[] = [];
  const partOf = new Map<string, string>();
  const held = new Map<string, Uint8Array>();
  let heldBytes = 0;
  let learned = 0;
  let pending: { projects: string[]; clusters: string[]; lines: string[] } = { projects: [], clusters: [], lines: [] };
  let last: Promise<void> = Promise.resolve();

  const flush = (): Promise<void> => {
    if (pending.projects.length === 0) return last;
    const { projects, clusters, lines } = pending;
    pending = { projects: [], clusters: [], lines: [] };
    const header: PartHeader = { kind: 'part', projects };
    // One after the other, so that a run that was taken over stops at the first.
    last = last.then(async () => {
      const body = await pack(`${[JSON.stringify(header), ...lines].join('\n')}\n`, { level: LEVEL });
      const key = `${prefix}${String(learned + 1).padStart(5, '0')}.ndjson.gz`;
      learned += 1;
      if (!dryRun) {
        await hold();
        await reports.put(key, body, 'application/gzip', deadline);
      }
      if (dryRun || heldBytes + body.byteLength <= HELD_BYTES) {
        held.set(key, body);
        heldBytes += body.byteLength;
      }
      list.push({ key, bytes: body.byteLength, sha256: sha256(body), projects, clusters });
      for (const id of projects) partOf.set(id, key);
    });
    return last;
  };

  return {
    list,
    has: (projectId) => partOf.has(projectId),

    async learn(key) {
      const body = await mustGet(reports, key, deadline);
      if (key.startsWith(prefix)) learned += 1;
      const fresh = [...(await projectsOf(body))].filter(([id]) => !partOf.has(id));
      for (const [id] of fresh) partOf.set(id, key);
      list.push({
        key,
        bytes: body.byteLength,
        sha256: sha256(body),
        projects: fresh.map(([id]) => id),
        clusters: fresh.flatMap(([, lines]) => clustersOf(lines)),
      });
      return fresh.flatMap(([, lines]) => lines.map(parseLine));
    },

    async add({ project, clusters }) {
      pending.projects.push(project.id);
      pending.clusters.push(...clusters.map(({ summary }) => `${project.id}/${summary.clusterId}`));
      pending.lines.push(JSON.stringify(project), ...clusters.map(clusterLine));
      if (pending.clusters.length >= PART_CLUSTERS || pending.projects.length >= PART_PROJECTS) await flush();
    },

    flush,

    async *projects() {
      const open = createReader(async (key) => held.get(key) ?? mustGet(reports, key, deadline));
      const ordered = [...partOf].toSorted(([a], [b]) => (a < b ? -1 : 1));
      for (const [nth, [id, key]] of ordered.entries()) {
        const part = await open(key);
        // The next one is on its way while this one is read.
        const next = ordered.slice(nth + 1, nth + PART_CLUSTERS).find(([, other]) => other !== key)?.[1];
        if (next !== undefined) void open(next).catch(() => {});
        yield part.get(id) ?? [];
      }
    },
  };
}

/** Reads single projects of the parts of an earlier run. */
export function createPartReader(
  reports: Reports,
  deadline: Deadline,
): (key: string, id: string) => Promise<PreviousProject | undefined> {
  const open = createReader((key) => mustGet(reports, key, deadline));
  return async (key, id) => {
    const lines = ((await open(key)).get(id) ?? []).map(parseLine);
    const project = lines.find((line) => line.kind === 'project');
    return project && { project, clusters: lines.filter((line) => line.kind === 'cluster') };
  };
}
