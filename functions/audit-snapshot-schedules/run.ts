/** One audit of one organization: read, judge, keep, and go on where an earlier invocation stopped. */
import type { Project } from '../../lib/atlas/operations/projects.ts';
import { type Audit, type AuditedProject, auditProject, unreadableProject } from './audit-project.ts';
import { AuditUnfinished } from './errors.ts';
import type { Read } from './facts.ts';
import type { Reading } from './inventory/reading.ts';
import { createRoom } from './inventory/room.ts';
import { migrationsUnderWay, writeFreshest } from './neighbours.ts';
import { createParts, type Parts } from './parts.ts';
import type { Policy } from './policy/resolve.ts';
import type { RunInHand } from './run-state.ts';
import type { Services } from './services.ts';
import { keys, openPreviousRun, type PreviousRun, partsUnder } from './store.ts';
import type { Tally } from './tally.ts';

/**
 * Clusters in hand for every socket: while some wait for an answer others are judged, and no more are held in memory. A
 * project counts for one more than it has clusters, and is in hand until the slowest of them is done: with fewer, sockets
 * stand idle.
 */
const IN_HAND_PER_SOCKET = 4;
/** What a project is taken to have that does not say. */
const USUAL_CLUSTERS = 10;
/** Left for the report when reading stops, in milliseconds. */
const FINISH_MS = 60_000;
/** No more than this part of the time is kept for the report. */
const FINISH_SHARE = 0.2;

/** What is read of a project before it is audited: all that a chunk of a run is told of it. */
export type ListedProject = Pick<Project, 'id' | 'name' | 'tags' | 'clusterCount'>;

export interface Organization {
  readonly id: string;
  readonly projects: readonly ListedProject[];
  /** What kept the list of projects from being read to its end. */
  readonly listing: Read<null>;
}

export interface Running {
  readonly services: Pick<Services, 'state' | 'reports'>;
  readonly sockets: number;
  readonly reading: Reading;
  readonly policy: Policy;
  readonly run: RunInHand;
  readonly dryRun: boolean;
}

export interface Ran {
  readonly previous: PreviousRun;
  readonly parts: Parts;
}

/** Audits every project that no part of the run holds yet; the tally sees all of them. */
export async function runAudit(organization: Organization, running: Running, tally: Tally): Promise<Ran> {
  const { audit, previous, parts } = await begin(organization.id, running, 0);
  if (running.run.resumed) await learnParts(keys.parts(organization.id, running.run.runId), parts, running, tally);
  await auditAll(organization.projects, { audit, previous, parts, running, tally });
  await keepUnlisted(organization, { audit, previous, parts, running, tally });
  await parts.flush();
  return { previous, parts };
}

/** Audits the projects of one chunk of a run, those that no part of the chunk holds yet. Answers how many it holds now. */
export async function runChunk(
  organizationId: string,
  projects: readonly ListedProject[],
  chunk: number,
  running: Running,
): Promise<{ projects: number; clusters: number }> {
  const { audit, previous, parts } = await begin(organizationId, running, chunk);
  await learnParts(keys.parts(organizationId, running.run.runId, chunk), parts, running);
  await auditAll(projects, { audit, previous, parts, running });
  await parts.flush();
  return {
    projects: parts.list.reduce((sum, part) => sum + part.projects.length, 0),
    clusters: parts.list.reduce((sum, part) => sum + part.clusters.length, 0),
  };
}

/** Puts the chunks of a run together. Projects no chunk came back with stay as they were, and count as not read. */
export async function joinChunks(organization: Organization, running: Running, tally: Tally): Promise<Ran> {
  const { audit, previous, parts } = await begin(organization.id, running, 0);
  await learnParts(keys.parts(organization.id, running.run.runId), parts, running, tally);
  const why = {
    known: false,
    operation: 'audit',
    cause: 'unexpected',
    reason: 'its part of the audit failed',
  } as const;
  for (const project of organization.projects.filter(({ id }) => !parts.has(id))) {
    const lost = unreadableProject(audit, project, why, await previous.project(project.id));
    tally.see(lost);
    await parts.add(lost);
  }
  await keepUnlisted(organization, { audit, previous, parts, running, tally });
  await parts.flush();
  return { previous, parts };
}

interface Work {
  readonly audit: Audit;
  readonly previous: PreviousRun;
  readonly parts: Parts;
  readonly running: Running;
  readonly tally?: Tally;
}

async function begin(
  organizationId: string,
  { services: { reports, state }, reading, policy, run, dryRun }: Running,
  chunk: number,
): Promise<Pick<Work, 'audit' | 'previous' | 'parts'>> {
  const { deadline } = reading;
  const prefix = keys.parts(organizationId, run.runId, chunk);
  return {
    previous: await openPreviousRun(reports, organizationId, run.lastRunId, deadline),
    parts: createParts({ reports, prefix, deadline, hold: run.hold, dryRun }),
    audit: { organizationId, reading, policy, mode: run.mode, migrations: await migrationsUnderWay(state, deadline) },
  };
}

/** Takes over what is there already. */
async function learnParts(
  prefix: string,
  parts: Parts,
  { services: { reports }, reading: { deadline } }: Running,
  tally?: Tally,
): Promise<void> {
  for (const key of await partsUnder(reports, prefix, deadline)) {
    const lines = await parts.learn(key);
    tally?.seeLines(lines);
  }
}

/** Where the list of projects broke off, nobody knows whether the others are still there: they stay as they were. */
async function keepUnlisted({ projects, listing }: Organization, work: Work): Promise<void> {
  if (listing.known) return;
  const { audit, previous, parts } = work;
  const listed = new Set(projects.map(({ id }) => id));
  for (const id of [...previous.projectIds].filter((each) => !listed.has(each) && !parts.has(each)).toSorted()) {
    const before = await previous.project(id);
    if (before) await keep(unreadableProject(audit, before.project, listing, before), work);
  }
}

async function keep(audited: AuditedProject, { audit, parts, running, tally }: Work): Promise<void> {
  const { services, reading, dryRun } = running;
  tally?.see(audited);
  if (!dryRun) await writeFreshest(services.state, audited, audit.reading.now, reading.deadline);
  await parts.add(audited);
}

/** All of them, as many at a time as keep the sockets busy. Whichever is done first is kept first. */
async function auditAll(projects: readonly ListedProject[], work: Work): Promise<void> {
  const { audit, previous, parts, running } = work;
  const { deadline } = running.reading;
  const reserve = Math.min(FINISH_MS, deadline.remainingMs() * FINISH_SHARE);
  const room = createRoom(Math.ceil(running.sockets * IN_HAND_PER_SOCKET) + 1);
  const working = new Set<Promise<void>>();
  let failed: { error: unknown } | undefined;
  const todo = projects.filter(({ id }) => !parts.has(id)).toSorted((a, b) => (a.id < b.id ? -1 : 1));
  for (const project of todo) {
    const leave = await room.take((project.clusterCount ?? USUAL_CLUSTERS) + 1);
    if (failed) break;
    if (deadline.remainingMs() < reserve) {
      failed = { error: unfinished(audit) };
      break;
    }
    const done = (async (): Promise<void> => {
      try {
        await keep(await auditProject(audit, project, await previous.project(project.id)), work);
      } catch (error) {
        failed ??= { error };
      } finally {
        leave();
      }
    })();
    working.add(done);
    void done.then(() => working.delete(done));
  }
  await Promise.all(working);
  // Whatever broke when time was up broke because of that.
  if (failed) throw deadline.signal.aborted ? unfinished(audit, failed.error) : failed.error;
}

const unfinished = ({ organizationId }: Audit, cause?: unknown): AuditUnfinished =>
  new AuditUnfinished('time ran out; the next invocation goes on from here', { organizationId }, { cause });
