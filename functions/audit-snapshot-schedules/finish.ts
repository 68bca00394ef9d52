/** From what a run kept to its report. */
import type { Deadline } from '../../lib/runtime/deadline.ts';
import { exitStateOf } from './aggregate.ts';
import type { AuditSettings } from './contract.ts';
import { conclude } from './engine.ts';
import { type About, findingId, findingOf, goneWith } from './findings.ts';
import type { Cost } from './inventory/budget.ts';
import { type Parts, sha256, textOf } from './parts.ts';
import type { Policy } from './policy/resolve.ts';
import { clusterIn, findingsIn, projectIn, summaryIn } from './records.ts';
import { Finding, isOpen, REPORT_SCHEMA_VERSION, type ReportHead, type ReportSource } from './report.ts';
import { judgeCoverage } from './rules/bk-25-coverage.ts';
import { catalogue } from './rules/catalogue.ts';
import { iso } from './rules/time.ts';
import type { Organization, Ran } from './run.ts';
import type { RunInHand } from './run-state.ts';
import type { Services } from './services.ts';
import { keys, type Manifest } from './store.ts';
import { type StoredFile, storeFile } from './stored-file.ts';
import type { Tally } from './tally.ts';

export interface Finishing {
  readonly services: Pick<Services, 'reports' | 'streams' | 'events'>;
  readonly settings: AuditSettings;
  readonly organization: Organization;
  readonly organizationName: string | null;
  readonly ran: Ran;
  readonly tally: Tally;
  readonly run: RunInHand;
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
  const { organization, ran, tally, run, policy, now, dryRun, deadline } = finishing;
  const { aggregate, announcer } = tally;
  const orphans = await findingsOfGoneProjects(organization, ran, now);
  const coverage = aggregate.coverage(organization.listing.known);
  const own = [await coverageFinding(finishing, coverage)];
  tally.seeOthers(own, true);
  tally.seeOthers(orphans, false);

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
  const source = sourceOver(head, ran.parts, [...own, ...orphans]);
  const { oldestSnapshotSeconds } = aggregate;
  if (dryRun) {
    return { head, source, oldestSnapshotSeconds, announced: { opened: 0, resolved: 0, left: 0 }, files: [] };
  }
  const files = await writeReport(finishing, source, own);
  return { head, source, oldestSnapshotSeconds, announced: await announcer.tell(deadline), files };
}

/** The report, read from the parts of the run as often as it is asked for. */
function sourceOver(head: ReportHead, parts: Parts, first: readonly Finding[]): ReportSource {
  const commas = (findings: readonly Finding[]): string => findings.map((each) => JSON.stringify(each)).join(',');
  return {
    head,
    async *clusters() {
      for await (const [, ...lines] of parts.projects()) for (const line of lines) yield clusterIn(line).summary;
    },
    async *findings() {
      yield* first;
      for await (const [own, ...lines] of parts.projects()) {
        const project = projectIn(own);
        yield* [...project.findings, ...project.gone];
        for (const line of lines) yield* clusterIn(line).findings;
      }
    },
    text: {
      async *clusters() {
        for await (const [, ...lines] of parts.projects()) yield lines.map(summaryIn).join(',\n');
      },
      async *findings() {
        yield commas(first);
        for await (const [own, ...lines] of parts.projects()) {
          const project = projectIn(own);
          const texts = [commas(project.findings), commas(project.gone), ...lines.map(findingsIn)];
          yield texts.filter((text) => text !== '').join(',\n');
        }
      },
    },
  };
}

async function writeReport(
  { services: { reports, streams }, settings, organization, ran, run, policy, deadline }: Finishing,
  source: ReportSource,
  own: readonly Finding[],
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
    parts: ran.parts.list
      .map((part) => ({ ...part, projects: [...part.projects], clusters: [...part.clusters] }))
      .toSorted((a, b) => (a.key < b.key ? -1 : 1)),
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
