/** From what a run kept to its report. */
import type { Reports } from '../../lib/aws/reports.ts';
import type { Deadline } from '../../lib/runtime/deadline.ts';
import { createAggregate, exitStateOf } from './aggregate.ts';
import { createAnnouncer } from './announce.ts';
import type { AuditSettings } from './contract.ts';
import { conclude } from './engine.ts';
import { type About, findingId, findingOf, goneWith } from './findings.ts';
import type { Cost } from './inventory/budget.ts';
import type { Policy } from './policy/resolve.ts';
import type { ClusterRecord, ProjectRecord } from './records.ts';
import { Finding, isOpen, REPORT_SCHEMA_VERSION, type ReportHead, type ReportSource } from './report.ts';
import { judgeCoverage } from './rules/bk-25-coverage.ts';
import { catalogue } from './rules/catalogue.ts';
import { iso } from './rules/time.ts';
import type { Organization, Ran } from './run.ts';
import type { OpenRun } from './run-state.ts';
import type { Services } from './services.ts';
import { keys, linesOf, type Manifest, mustGet, sha256, textOf } from './store.ts';
import { type StoredFile, storeFile } from './stored-file.ts';

interface Finishing {
  readonly services: Pick<Services, 'reports' | 'streams' | 'events'>;
  readonly settings: AuditSettings;
  readonly organization: Organization;
  readonly organizationName: string | null;
  readonly ran: Ran;
  readonly run: OpenRun;
  readonly policy: Policy;
  readonly cost: Cost;
  readonly tookMs: number;
  readonly now: number;
  readonly dryRun: boolean;
  readonly deadline: Deadline;
}

export interface Finished {
  readonly head: ReportHead;
  readonly source: ReportSource;
  readonly oldestSnapshotSeconds: number | undefined;
  readonly announced: { readonly opened: number; readonly resolved: number; readonly left: number };
  readonly files: readonly StoredFile[];
}

/** Sums up, writes the report, its evidence and their hashes, and tells the bus. A dry run sums up and writes nothing. */
export async function finishRun(finishing: Finishing): Promise<Finished> {
  const { services, settings, organization, ran, run, policy, now, dryRun, deadline } = finishing;
  const { reports } = services;
  const aggregate = createAggregate();
  const announcer = await createAnnouncer(
    { ...services, organizationId: organization.id, runId: run.runId, mostOpened: settings.mostOpenedPerRun },
    deadline,
  );
  const manifestParts: Manifest['parts'] = [];
  for await (const record of recordsOf(reports, ran, deadline, (part) => manifestParts.push(part))) {
    aggregate.add(record);
    record.findings.forEach(announcer.see);
    if (record.kind === 'project') record.gone.forEach(announcer.see);
  }
  const orphans = await findingsOfGoneProjects(organization, ran, now);
  const coverage = aggregate.coverage(organization.listing.known);
  const own = [await coverageFinding(finishing, coverage)];
  aggregate.addFindings(own);
  for (const finding of [...own, ...orphans]) announcer.see(finding);

  const totals = aggregate.totals();
  const head: ReportHead = {
    schemaVersion: REPORT_SCHEMA_VERSION,
    runId: run.runId,
    mode: run.mode,
    organization: { id: organization.id, name: finishing.organizationName },
    startedAt: run.startedAt,
    finishedAt: iso(now + finishing.tookMs),
    previousRunId: ran.previous.runId ?? null,
    policy: { name: policy.name, profile: policy.profile, digest: policy.digest },
    rules: catalogue,
    coverage,
    exitState: exitStateOf(coverage),
    totals: { ...totals, byChange: { ...totals.byChange, gone: (totals.byChange['gone'] ?? 0) + orphans.length } },
    cost: {
      calls: finishing.cost.calls,
      retries: finishing.cost.failed + finishing.cost.throttled,
      throttled: finishing.cost.throttled,
      waitedMs: finishing.cost.waitedMs,
      tookMs: finishing.tookMs,
    },
  };
  const source: ReportSource = {
    head,
    async *clusters() {
      for await (const record of recordsOf(reports, ran, deadline)) if (record.kind === 'cluster') yield record.summary;
    },
    async *findings() {
      yield* own;
      yield* orphans;
      for await (const record of recordsOf(reports, ran, deadline)) {
        yield* record.findings;
        if (record.kind === 'project') yield* record.gone;
      }
    },
  };
  const { oldestSnapshotSeconds } = aggregate;
  if (dryRun) {
    return { head, source, oldestSnapshotSeconds, announced: { opened: 0, resolved: 0, left: 0 }, files: [] };
  }
  const files = await writeReport(finishing, source, own, manifestParts);
  return { head, source, oldestSnapshotSeconds, announced: await announcer.tell(deadline), files };
}

async function writeReport(
  { services: { reports, streams }, settings, organization, run, policy, deadline }: Finishing,
  source: ReportSource,
  own: readonly Finding[],
  parts: Manifest['parts'],
): Promise<StoredFile[]> {
  const folder = keys.run(organization.id, run.runId);
  // Only a run that comes to its report needs any of it.
  const { renderAll } = await import('./outputs/render-all.ts');
  const files: StoredFile[] = [];
  for (const file of renderAll(source, { formats: settings.formats, securityHub: settings.securityHub })) {
    files.push(await storeFile(streams, folder, file, deadline));
  }
  const organizationFile = {
    name: 'organization.json',
    contentType: 'application/json',
    async *body() {
      yield JSON.stringify({ findings: own });
    },
  };
  files.push(await storeFile(streams, folder, organizationFile, deadline));
  const { head } = source;
  const manifest: Manifest = {
    schemaVersion: 1,
    runId: run.runId,
    organizationId: organization.id,
    finishedAt: head.finishedAt,
    exitState: head.exitState,
    policyDigest: policy.digest,
    files,
    parts,
  };
  const body = JSON.stringify(manifest, undefined, 1);
  await reports.put(keys.manifest(organization.id, run.runId), body, 'application/json', deadline);
  const latest = {
    runId: run.runId,
    finishedAt: head.finishedAt,
    exitState: head.exitState,
    manifest: { key: keys.manifest(organization.id, run.runId), sha256: sha256(body) },
    files: files.map(({ name, key }) => ({ name, key })),
  };
  await reports.put(keys.latest(organization.id), JSON.stringify(latest, undefined, 1), 'application/json', deadline);
  return files;
}

/** All records of a run, in order: from its parts, or from hand. */
async function* recordsOf(
  reports: Reports,
  { parts, inHand }: Ran,
  deadline: Deadline,
  tell?: (part: Manifest['parts'][number]) => void,
): AsyncGenerator<ProjectRecord | ClusterRecord> {
  for (const { project, clusters } of inHand) yield* [project, ...clusters];
  for (const key of parts) {
    const body = await mustGet(reports, key, deadline);
    const projects: string[] = [];
    const clusters: string[] = [];
    for (const line of linesOf(body)) {
      if (line.kind === 'part') projects.push(...line.projects);
      else yield line;
      if (line.kind === 'cluster') clusters.push(`${line.projectId}/${line.summary.clusterId}`);
    }
    tell?.({ key, bytes: body.byteLength, sha256: sha256(body), projects, clusters });
  }
}

/** What was open of projects that are certainly no more. */
async function findingsOfGoneProjects(
  { projects, listing }: Organization,
  { previous }: Ran,
  now: number,
): Promise<Finding[]> {
  if (!listing.known) return [];
  const listed = new Set(projects.map(({ id }) => id));
  const found: Finding[] = [];
  for (const id of [...previous.projectIds].filter((each) => !listed.has(each)).toSorted()) {
    const before = await previous.project(id);
    const all = [...(before?.project.findings ?? []), ...(before?.clusters ?? []).flatMap(({ findings }) => findings)];
    found.push(...all.filter(({ status }) => isOpen(status)).map((finding) => goneWith(finding, now)));
  }
  return found;
}

/** What the audit says of itself, compared with what it said last time. */
async function coverageFinding(
  { services: { reports }, organization, ran, policy, now, deadline }: Finishing,
  coverage: ReportHead['coverage'],
): Promise<Finding> {
  const about: About = {
    organizationId: organization.id,
    projectId: null,
    projectName: null,
    clusterId: null,
    clusterName: null,
  };
  const { runId } = ran.previous;
  const body =
    runId === undefined
      ? undefined
      : await reports.get(`${keys.run(organization.id, runId)}/organization.json`, deadline);
  const before = body ? Finding.array().parse(JSON.parse(textOf(body)).findings) : [];
  const resolved = policy.resolve({ projectId: '', projectName: '', tags: [] });
  const verdict = judgeCoverage(coverage, resolved.options('BK-25'));
  const judgement = conclude('BK-25', verdict, resolved, now);
  return findingOf(
    judgement,
    about,
    policy.digest,
    before.find(({ id }) => id === findingId(about, 'BK-25')),
    now,
  );
}
