/** One audit of one organization: read, judge, keep, and go on where an earlier invocation stopped. */
import type { Project } from '../../lib/atlas/operations/projects.ts';
import { type Audit, type AuditedProject, auditProject, unreadableProject } from './audit-project.ts';
import { AuditUnfinished } from './errors.ts';
import type { Read } from './facts.ts';
import type { Reading } from './inventory/reading.ts';
import { createRoom } from './inventory/room.ts';
import { migrationsUnderWay, writeFreshest } from './neighbours.ts';
import type { Policy } from './policy/resolve.ts';
import type { OpenRun } from './run-state.ts';
import type { Services } from './services.ts';
import { createPartWriter, linesOf, mustGet, openPreviousRun, type PreviousRun, partsOf } from './store.ts';

/**
 * Clusters in hand for every socket: while some wait for an answer others are judged, and no more are held in memory. A
 * project counts for one more than it has clusters.
 */
const IN_HAND_PER_SOCKET = 3;
/** What a project is taken to have that does not say. */
const USUAL_CLUSTERS = 10;
/** Left for the report when reading stops, in milliseconds. */
const FINISH_MS = 60_000;
/** No more than this part of the time is kept for the report. */
const FINISH_SHARE = 0.2;

export interface Organization {
  readonly id: string;
  readonly projects: readonly Project[];
  /** What kept the list of projects from being read to its end. */
  readonly listing: Read<null>;
}

export interface Running {
  readonly services: Pick<Services, 'state' | 'reports'>;
  readonly sockets: number;
  readonly reading: Reading;
  readonly policy: Policy;
  readonly run: OpenRun;
  readonly dryRun: boolean;
}

export interface Ran {
  readonly previous: PreviousRun;
  /** The parts of a run that was kept; the projects themselves of a dry run. */
  readonly parts: readonly string[];
  readonly inHand: readonly AuditedProject[];
}

/** Audits every project that no part of the run holds yet. */
export async function runAudit(organization: Organization, running: Running): Promise<Ran> {
  const { services, reading, policy, run, dryRun } = running;
  const { deadline } = reading;
  const { reports, state } = services;
  const previous = await openPreviousRun(reports, organization.id, run.lastRunId, deadline);
  const earlier = run.resumed ? await partsOf(reports, organization.id, run.runId, deadline) : [];
  const done = await projectsDone(earlier, running);
  const audit: Audit = {
    organizationId: organization.id,
    reading,
    policy,
    mode: run.mode,
    migrations: await migrationsUnderWay(state, deadline),
  };
  const inHand: AuditedProject[] = [];
  const writer = createPartWriter(
    { reports, organizationId: organization.id, runId: run.runId, deadline },
    earlier.length + 1,
    run.hold,
  );
  const keep = async (audited: AuditedProject, at: number): Promise<void> => {
    if (dryRun) {
      inHand.push(slim(audited));
      return;
    }
    await writeFreshest(state, audited, at, deadline);
    await writer.add(audited);
  };

  const todo = [...organization.projects].toSorted((a, b) => (a.id < b.id ? -1 : 1)).filter(({ id }) => !done.has(id));
  await auditAll(todo, audit, previous, running, keep);
  if (!organization.listing.known) {
    const listed = new Set(organization.projects.map(({ id }) => id));
    // Nobody knows whether they are still there: they stay as they were.
    for (const id of [...previous.projectIds].filter((each) => !listed.has(each) && !done.has(each)).toSorted()) {
      const before = await previous.project(id);
      if (before) await keep(unreadableProject(audit, before.project, organization.listing, before), reading.now);
    }
  }
  await writer.flush();
  return { previous, inHand, parts: dryRun ? [] : await partsOf(reports, organization.id, run.runId, deadline) };
}

async function projectsDone(
  parts: readonly string[],
  { services: { reports }, reading }: Running,
): Promise<Set<string>> {
  const done = new Set<string>();
  for (const key of parts) {
    for (const line of linesOf(await mustGet(reports, key, reading.deadline))) {
      if (line.kind !== 'part') break;
      for (const id of line.projects) done.add(id);
    }
  }
  return done;
}

/** All of them, in their order, as many at a time as keep the sockets busy. */
async function auditAll(
  projects: readonly Project[],
  audit: Audit,
  previous: PreviousRun,
  { reading: { deadline }, sockets }: Running,
  keep: (audited: AuditedProject, at: number) => Promise<void>,
): Promise<void> {
  const reserve = Math.min(FINISH_MS, deadline.remainingMs() * FINISH_SHARE);
  const room = createRoom(Math.ceil(sockets * IN_HAND_PER_SOCKET) + 1);
  const working = new Set<Promise<void>>();
  let failed: { error: unknown } | undefined;
  // Read side by side, and kept in their order: what is the same twice then reads the same twice.
  let before = Promise.resolve();
  for (const project of projects) {
    const leave = await room.take((project.clusterCount ?? USUAL_CLUSTERS) + 1);
    if (failed) break;
    if (deadline.remainingMs() < reserve) {
      failed = { error: unfinished(audit) };
      break;
    }
    const earlier = before;
    const work = (async (): Promise<void> => {
      try {
        const audited = await auditProject(audit, project, await previous.project(project.id));
        await earlier;
        await keep(audited, audit.reading.now);
      } catch (error) {
        failed ??= { error };
      } finally {
        leave();
      }
    })();
    before = work;
    working.add(work);
    void work.then(() => working.delete(work));
  }
  await Promise.all(working);
  // Whatever broke when time was up broke because of that.
  if (failed) throw deadline.signal.aborted ? unfinished(audit, failed.error) : failed.error;
}

const unfinished = ({ organizationId }: Audit, cause?: unknown): AuditUnfinished =>
  new AuditUnfinished('time ran out; the next invocation goes on from here', { organizationId }, { cause });

/** What a dry run needs of a project to say what the report would say. */
const slim = ({ project, clusters }: AuditedProject): AuditedProject => ({
  project: { ...project, memory: {} },
  clusters: clusters.map((each) => ({
    ...each,
    memory: { base: each.memory.base, facts: each.memory.facts },
    findings: each.findings.map((finding) =>
      finding.status === 'PASS' || finding.status === 'NOT_APPLICABLE' ? { ...finding, evidence: {} } : finding,
    ),
  })),
});
