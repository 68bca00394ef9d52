/**
 * A run in pieces, for estates that are too large for one invocation or that must not share its fate: `plan` splits the
 * projects, each `chunk` audits its own, `merge` makes one report of what came back. The pieces meet in the report bucket
 * and in the state; nothing but names goes from one to the next.
 */
import * as z from 'zod';
import type { Deadline } from '../../lib/runtime/deadline.ts';
import {
  type Auditing,
  conclude,
  insistOnWhole,
  type One,
  type Outcome,
  policyFor,
  runningOf,
  tallyOf,
} from './audit.ts';
import type { AuditRequest } from './contract.ts';
import { AuditIncomplete, AuditTakenOver } from './errors.ts';
import type { Read } from './facts.ts';
import { listOrganizations } from './organizations.ts';
import { textOf } from './parts.ts';
import { loadPolicy } from './policy/load.ts';
import { policySource } from './policy-source.ts';
import { joinChunks, type ListedProject, type Organization, runChunk } from './run.ts';
import { joinRun, openRun } from './run-state.ts';
import type { Services } from './services.ts';
import { keys, Manifest } from './store.ts';

type Asked<Action extends AuditRequest['action']> = Extract<AuditRequest, { action: Action }>;

/**
 * Every chunk mints a token, which lives for an hour, and a service account may hold a hundred of them.
 * Source: https://www.mongodb.com/docs/atlas/api/service-accounts-overview/
 */
const MOST_CHUNKS = 80;
/** What a project is taken to have that does not say. */
const USUAL_CLUSTERS = 10;

const Listed = z.object({
  id: z.string(),
  name: z.string(),
  tags: z.array(z.object({ key: z.string(), value: z.string() })).nullish(),
  clusterCount: z.number().nullish(),
});
const Chunk = z.object({ projects: z.array(Listed) });

/** What `merge` has to know of an organization, and no chunk could tell. */
const Plan = z.object({
  chunks: z.int(),
  listing: z.union([
    z.object({ known: z.literal(true), value: z.null(), at: z.number() }),
    z.object({ known: z.literal(false), operation: z.string(), cause: z.string(), reason: z.string() }),
  ]),
  projects: z.array(Listed),
});

const Cost = z.object({ calls: z.number(), failed: z.number(), throttled: z.number(), waitedMs: z.number() });
type Cost = z.output<typeof Cost>;

/** One item of the map. */
interface Item {
  readonly action: 'chunk';
  readonly organizationId: string;
  readonly runId: string;
  readonly chunk: number;
}

export interface Planned {
  /** Where the items of the map are; null where there is nothing to audit. */
  readonly items: string | null;
  readonly chunks: number;
  readonly organizations: readonly {
    readonly action: 'merge';
    readonly organizationId: string;
    readonly runId: string;
  }[];
}

/**
 * Begins a run of every organization, or finds the one that was begun, and writes down what each chunk is to audit. A run
 * that was split once is not split again. Safe to repeat.
 */
export async function planRuns(request: Asked<'plan'>, auditing: Auditing): Promise<Planned> {
  const one = await prepare({ ...request, action: 'audit', dryRun: false }, auditing);
  const { services, settings, deadline, clock } = auditing;
  const listed = await listOrganizations(one.client, request.organization ?? settings.organization, deadline);
  const items: Item[] = [];
  const organizations: Planned['organizations'][number][] = [];
  for (const organization of listed) {
    const { id } = organization;
    const now = clock.now().getTime() + one.budget.aheadMs;
    const { runId } = await openRun({
      state: services.state,
      organizationId: id,
      policyDigest: policyFor(organization, one, now).digest,
      mode: request.mode,
      fullEveryDays: settings.fullEveryDays,
      anew: request.anew,
      dryRun: false,
      now,
      deadline,
    });
    const chunks = await split(organization, runId, settings.distributed.clustersPerChunk, auditing);
    for (let chunk = 1; chunk <= chunks; chunk++) items.push({ action: 'chunk', organizationId: id, runId, chunk });
    organizations.push({ action: 'merge', organizationId: id, runId });
  }
  const [first] = organizations;
  if (!first) return { items: null, chunks: 0, organizations };
  const key = `${keys.run(first.organizationId, first.runId)}/items.json`;
  await services.reports.put(key, JSON.stringify(items), 'application/json', deadline);
  return { items: key, chunks: items.length, organizations };
}

/** Writes the chunks of a run, and what they are chunks of; answers how many there are. */
async function split(
  { id, projects, listing }: Organization,
  runId: string,
  clustersPerChunk: number,
  { services: { reports }, deadline }: Auditing,
): Promise<number> {
  const before = await planOf(reports, id, runId, deadline);
  if (before) return before.chunks;
  const chunks = chunksOf(projects, clustersPerChunk);
  const put = (key: string, body: object): Promise<void> =>
    reports.put(key, JSON.stringify(body), 'application/json', deadline);
  for (const [nth, own] of chunks.entries()) await put(keys.chunk(id, runId, nth + 1), { projects: own });
  // Last: what it names is there.
  await put(planKey(id, runId), { chunks: chunks.length, listing, projects: projects.map(told) });
  return chunks.length;
}

const planKey = (organizationId: string, runId: string): string => `${keys.run(organizationId, runId)}/plan.json`;

async function planOf(
  reports: Services['reports'],
  organizationId: string,
  runId: string,
  deadline: Deadline,
): Promise<z.output<typeof Plan> | undefined> {
  const body = await reports.get(planKey(organizationId, runId), deadline);
  return body && Plan.parse(JSON.parse(textOf(body)));
}

const told = ({ id, name, tags, clusterCount }: ListedProject): ListedProject => ({ id, name, tags, clusterCount });

/** Projects in the order of their ids, so many clusters at a time. No more chunks than there are tokens for. */
export function chunksOf(projects: readonly ListedProject[], clustersPerChunk: number): ListedProject[][] {
  const sizeOf = ({ clusterCount }: ListedProject): number => (clusterCount ?? USUAL_CLUSTERS) + 1;
  const total = projects.reduce((sum, each) => sum + sizeOf(each), 0);
  const most = Math.max(clustersPerChunk, Math.ceil(total / MOST_CHUNKS));
  const chunks: ListedProject[][] = [];
  let held = Number.POSITIVE_INFINITY;
  for (const project of projects.toSorted((a, b) => (a.id < b.id ? -1 : 1))) {
    if (held >= most && chunks.length < MOST_CHUNKS) {
      chunks.push([]);
      held = 0;
    }
    chunks.at(-1)?.push(told(project));
    held += sizeOf(project);
  }
  return chunks;
}

/** Audits one chunk. Safe to repeat: what it has done already is not read again. */
export async function auditChunk(
  { organizationId, runId, chunk }: Asked<'chunk'>,
  auditing: Auditing,
): Promise<{ organizationId: string; runId: string; chunk: number; projects: number; clusters: number }> {
  const { services, deadline } = auditing;
  const body = await services.reports.get(keys.chunk(organizationId, runId, chunk), deadline);
  const { projects } = Chunk.parse(body ? JSON.parse(textOf(body)) : undefined);
  const one = await prepare({ action: 'audit', mode: 'auto', anew: false, dryRun: false }, auditing);
  const { running } = await join({ id: organizationId, projects, listing: known }, runId, one);
  const done = await runChunk(organizationId, projects, chunk, running);
  const spent = JSON.stringify(one.budget.cost);
  await services.reports.put(costKey(organizationId, runId, chunk), spent, 'application/json', deadline);
  return { organizationId, runId, chunk, ...done };
}

const costKey = (organizationId: string, runId: string, chunk: number): string =>
  keys.chunk(organizationId, runId, chunk).replace(/json$/, 'cost.json');

/** What the chunks say they cost; one that failed, or had to go on where it stopped, told less than it was. */
async function costOf(plan: z.output<typeof Plan>, { organizationId, runId }: Asked<'merge'>, one: One): Promise<Cost> {
  const sum = { ...one.budget.cost };
  for (let chunk = 1; chunk <= plan.chunks; chunk++) {
    const body = await one.services.reports.get(costKey(organizationId, runId, chunk), one.deadline);
    const spent = body && Cost.safeParse(JSON.parse(textOf(body))).data;
    if (!spent) continue;
    sum.calls += spent.calls;
    sum.failed += spent.failed;
    sum.throttled += spent.throttled;
    sum.waitedMs += spent.waitedMs;
  }
  return sum;
}

const known: Read<null> = { known: true, value: null, at: 0 };

/**
 * Makes one report of the chunks of a run. What no chunk came back with counts as not read, and keeps its old findings.
 * Throws AuditIncomplete once the report is stored where it is not whole. Safe to repeat until the run is over.
 */
export async function mergeChunks(
  request: Asked<'merge'>,
  auditing: Auditing,
): Promise<{ dryRun: boolean; audits: Outcome[] }> {
  const { organizationId, runId } = request;
  const { services, deadline, clock } = auditing;
  const plan = Plan.parse(await planOf(services.reports, organizationId, runId, deadline));
  const organization: Organization = {
    id: organizationId,
    projects: plan.projects,
    listing: listingOf(plan.listing),
  };
  const one = await prepare({ action: 'audit', mode: 'auto', anew: false, dryRun: false }, auditing);
  const joined = await join(organization, runId, one).catch((error: unknown) => refuseUnlessOver(error, request, one));
  if (joined === undefined) return { dryRun: false, audits: [] };
  const { run, policy, running, now } = joined;
  const tally = await tallyOf(organization, run, one);
  const ran = await joinChunks(organization, running, tally);
  const cost = await costOf(plan, request, one);
  // All of the run, from its plan on.
  const began = performance.now() - Math.max(0, clock.now().getTime() - Date.parse(run.startedAt));
  const audits = [await conclude(organization, { ran, tally, run, policy, began, now, cost }, one)];
  insistOnWhole(audits);
  return { dryRun: false, audits };
}

/** A merge whose answer was lost has been made: nothing is left to do, and it says the same again. */
async function refuseUnlessOver(
  error: unknown,
  { organizationId, runId }: Asked<'merge'>,
  { services, deadline }: One,
): Promise<undefined> {
  const body =
    error instanceof AuditTakenOver && (await services.reports.get(keys.manifest(organizationId, runId), deadline));
  if (!body) throw error;
  const { exitState } = Manifest.parse(JSON.parse(textOf(body)));
  if (exitState !== 'complete')
    throw new AuditIncomplete(`the audit is ${exitState}`, { organizationId, runId, exitState });
}

const listingOf = (listing: z.output<typeof Plan>['listing']): Read<null> =>
  listing.known
    ? listing
    : {
        ...listing,
        cause: listing.cause === 'forbidden' || listing.cause === 'throttled' ? listing.cause : 'unavailable',
      };

/** Everything that is called on, before anything is called: with a policy that can't be used, nothing is audited. */
async function prepare(request: Asked<'audit'>, auditing: Auditing): Promise<One> {
  const source = await policySource(auditing.settings);
  loadPolicy(source, auditing.clock.now().getTime());
  return { ...auditing, ...auditing.services.atlas(), request, source };
}

async function join(organization: Organization, runId: string, one: One) {
  const { services, budget, deadline, clock, log } = one;
  const now = clock.now().getTime() + budget.aheadMs;
  const policy = policyFor(organization, one, now);
  const organizationId = organization.id;
  const run = await joinRun({ state: services.state, organizationId, runId, policyDigest: policy.digest, deadline });
  log.info('audit joined', { facts: { organizationId, runId, mode: run.mode } });
  return { run, policy, now, running: runningOf(run, policy, one, now) };
}
