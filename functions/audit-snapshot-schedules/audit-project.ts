/** One project from its list of clusters to findings. */
import type { Project } from '../../lib/atlas/operations/projects.ts';
import { judgeCluster, judgeProject, subjectOfProject } from './engine.ts';
import { type ClusterFacts, type EventFact, notAsked, type ProjectFacts, type Read } from './facts.ts';
import { type About, findingId, findingOf, goneWith, keptAsItWas } from './findings.ts';
import { type Reuse, readCluster } from './inventory/cluster.ts';
import { type ClusterBase, tagsOf } from './inventory/normalise.ts';
import { noEvents, readAlerts, readCompliance, readEvents, readInventory } from './inventory/project.ts';
import { type Reading, unlessKept } from './inventory/reading.ts';
import { remember } from './memory.ts';
import type { Policy, Resolved } from './policy/resolve.ts';
import type { ClusterRecord, Kept, ProjectMemory, ProjectRecord } from './records.ts';
import { type Finding, isOpen, type Unreadable } from './report.ts';
import { coverage } from './rules/bk-25-coverage.ts';
import { summaryOf } from './summary.ts';

/** A project as the last run left it. */
export interface PreviousProject {
  readonly project: ProjectRecord;
  readonly clusters: readonly ClusterRecord[];
}

export interface Audit {
  readonly organizationId: string;
  readonly reading: Reading;
  readonly policy: Policy;
  /** Whether everything is read, or only what may have changed. */
  readonly mode: 'full' | 'evidence';
  /** By `<project id>/<cluster name>`. */
  readonly migrations: ReadonlyMap<string, NonNullable<ClusterFacts['migration']>>;
}

export interface AuditedProject {
  readonly project: ProjectRecord;
  readonly clusters: readonly ClusterRecord[];
}

/** Reads and judges one project. What can't be read is told, and keeps its old findings. Writes nothing. */
export async function auditProject(
  audit: Audit,
  { id, name, tags }: Pick<Project, 'id' | 'name' | 'tags'>,
  previous: PreviousProject | undefined,
): Promise<AuditedProject> {
  const { reading, policy, organizationId, mode } = audit;
  const { now } = reading;
  const memory = previous?.project.memory;
  const inEvidence = mode === 'evidence' && memory !== undefined;
  const [inventory, told] = await Promise.all([
    readInventory(reading, id),
    inEvidence ? readEvents(reading, id, memory) : noEvents(),
  ]);
  if (!inventory.known) return unreadableProject(audit, { id, name }, inventory, previous);

  const { clusters: bases, excludedInternal, flex } = inventory.value;
  const subject = subjectOfProject({ id, name, tags: tagsOf(tags) });
  const resolvedOf = (base: ClusterBase): Resolved =>
    policy.resolve({ ...subject, clusterId: base.id, clusterName: base.name, tags: [...subject.tags, ...base.tags] });
  const dedicated = bases.filter(({ kind }) => kind === 'dedicated');
  const ofProject = policy.resolve(subject);
  const asksCompliance =
    dedicated.length > 0 &&
    (ofProject.rule('BK-16').enabled || dedicated.some((base) => resolvedOf(base).rule('BK-17').enabled));
  const happened = (pattern: RegExp): boolean =>
    !inEvidence || !told.events.known || told.fresh.some(({ type }) => type === null || pattern.test(type));

  const [compliance, alerts] = await Promise.all([
    asksCompliance
      ? unlessKept(memory?.compliance, happened(/^CPS_DATA_PROTECTION_/), () => readCompliance(reading, id))
      : notAsked('getGroupBackupCompliancePolicy'),
    dedicated.length > 0 && ofProject.rule('BK-20').enabled
      ? unlessKept(memory?.alerts, happened(/^ALERT_CONFIG_/), () => readAlerts(reading, id))
      : notAsked('listGroupAlertConfigs'),
  ]);
  const asksEvents =
    (compliance.known && compliance.value !== null) || dedicated.some((base) => wantsEvents(base, resolvedOf(base)));
  const { events, fresh, since } = inEvidence || !asksEvents ? told : await readEvents(reading, id, memory);

  const facts: ProjectFacts = {
    organizationId,
    id,
    name,
    tags: subject.tags,
    compliance,
    alerts,
    events,
    eventsSince: since,
    hasDedicated: dedicated.length > 0,
  };
  const before = new Map(previous?.clusters.map((each) => [each.summary.clusterId, each]));
  const clusters = await Promise.all(
    bases.map((base) => auditCluster(audit, facts, base, resolvedOf(base), before.get(base.id), { inEvidence, fresh })),
  );

  const isThere = new Set(bases.map((base) => base.id));
  const missing = [...before.values()].filter(({ summary }) => !isThere.has(summary.clusterId));
  // Where Flex clusters could not be listed, nobody knows that one is gone.
  const kept = missing.filter(({ summary }) => summary.kind === 'flex' && !flex.known);
  const gone = missing.filter((each) => !kept.includes(each)).flatMap(({ findings }) => findings.filter(isStillOpen));
  const unreadable = [
    ...[flex, compliance, alerts, events].flatMap((each) => unreadOf(each, { id, name })),
    ...clusters.flatMap(({ unread }) => unread),
  ];
  const about: About = { organizationId, projectId: id, projectName: name, clusterId: null, clusterName: null };
  const old = new Map(previous?.project.findings.map((each) => [each.id, each]));
  return {
    project: {
      kind: 'project',
      id,
      name,
      read: true,
      unreadable,
      excludedInternal,
      findings: [
        ...judgeProject(facts, policy, now).map((judgement) =>
          findingOf(judgement, about, policy.digest, old.get(findingId(about, judgement.rule)), now),
        ),
        ...readableAgain(about, policy.digest, old, now),
        ...(flex.known ? [] : [unreadableFinding(about, flex.reason, unreadable, policy.digest, old, now)]),
      ],
      gone: [...gone, ...clusters.flatMap((each) => each.gone)].map((finding) => goneWith(finding, now)),
      memory: projectMemory(memory, facts),
    },
    clusters: [
      ...clusters.map(({ record }) => record),
      ...kept.map((each) => ({ ...each, complete: false, findings: each.findings.map(keptAsItWas) })),
    ],
  };
}

const isStillOpen = ({ status }: Finding): boolean => isOpen(status);

/** What is behind a point-in-time window, and copies of a sharded cluster, is told by events alone. */
function wantsEvents({ pitEnabled, sharded }: ClusterBase, policy: Resolved): boolean {
  const window = pitEnabled === true && policy.rule('BK-02').enabled && policy.options('BK-02').effectiveWindow;
  return window || (sharded && policy.rule('BK-14').enabled);
}

interface AuditedCluster {
  readonly record: ClusterRecord;
  readonly unread: readonly Unreadable[];
  /** Findings of rules that are no longer about it. */
  readonly gone: readonly Finding[];
}

async function auditCluster(
  { organizationId, reading, policy, migrations }: Audit,
  project: ProjectFacts,
  base: ClusterBase,
  resolved: Resolved,
  previous: ClusterRecord | undefined,
  { inEvidence, fresh }: { readonly inEvidence: boolean; readonly fresh: readonly EventFact[] },
): Promise<AuditedCluster> {
  const { now } = reading;
  const reads = await readCluster(reading, project.id, base, resolved, reuseOf(base, previous, inEvidence, fresh));
  const migration = migrations.get(`${project.id}/${base.name}`) ?? null;
  const remembered = remember(base, reads, previous?.memory, migration, now);
  const cluster: ClusterFacts = { ...base, ...reads, project, migration, memory: remembered.facts };
  const about: About = {
    organizationId,
    projectId: project.id,
    projectName: project.name,
    clusterId: base.id,
    clusterName: base.name,
  };
  const old = new Map(previous?.findings.map((each) => [each.id, each]));
  const findings = judgeCluster(cluster, policy, now).map((judgement) =>
    findingOf(judgement, about, policy.digest, old.get(findingId(about, judgement.rule)), now),
  );
  const ids = new Set(findings.map((each) => each.id));
  const unread = [reads.schedule, reads.snapshots, reads.restores, reads.exports].flatMap((each) =>
    unreadOf(each, project, base),
  );
  return {
    record: {
      kind: 'cluster',
      projectId: project.id,
      complete: unread.length === 0 && unreadOf(project.compliance, project).length === 0,
      summary: summaryOf(cluster, findings, policy, now),
      findings,
      memory: remembered,
    },
    unread,
    gone: [...old.values()].filter((each) => !ids.has(each.id) && isOpen(each.status)),
  };
}

/** In evidence mode, what nothing speaks against is taken from the last run; in a full run nothing is. */
function reuseOf(
  base: ClusterBase,
  previous: ClusterRecord | undefined,
  inEvidence: boolean,
  fresh: readonly EventFact[],
): Reuse {
  const memory = inEvidence ? previous?.memory : undefined;
  const { backupEnabled, pitEnabled, paused, zones } = base;
  const isSame = JSON.stringify(memory?.base) === JSON.stringify({ backupEnabled, pitEnabled, paused, zones });
  const about = fresh.filter(({ cluster }) => cluster === null || cluster === base.name);
  const isTold = (pattern: RegExp): boolean => about.some(({ type }) => type === null || pattern.test(type));
  const patterns = {
    schedule: /^CPS_SNAPSHOT_SCHEDULE|^CPS_DATA_PROTECTION/,
    snapshots: /^CPS_SNAPSHOT|^CPS_COPY/,
    restores: /^CPS_RESTORE/,
    exports: /^CPS_EXPORT/,
  };
  return { memory, changed: (what) => !isSame || isTold(patterns[what]) };
}

function unreadOf(
  each: Read<unknown>,
  project: { readonly id: string; readonly name: string },
  cluster?: { readonly id: string; readonly name: string },
): Unreadable[] {
  if (each.known || each.cause === 'not-asked' || isOptional(each)) return [];
  const { operation, cause, reason } = each;
  return [
    {
      projectId: project.id,
      projectName: project.name,
      clusterId: cluster?.id ?? null,
      clusterName: cluster?.name ?? null,
      operation,
      cause,
      reason,
    },
  ];
}

/** Lists that are newer than others, and of which an Atlas that has none says so. */
const isOptional = ({ cause, operation }: { cause: string; operation: string }): boolean =>
  cause === 'not-offered' && /RestoreJobs|Exports|Legacy/.test(operation);

function projectMemory(
  before: ProjectMemory | undefined,
  { compliance, alerts, events, eventsSince }: ProjectFacts,
): ProjectMemory {
  const kept = <Value>(now: Read<Value>, then: Kept<Value> | undefined): Kept<Value> | undefined =>
    now.known ? { value: now.value, at: now.at } : then;
  const [policy, configured, happened] = [
    kept(compliance, before?.compliance),
    kept(alerts, before?.alerts),
    kept(events, before?.events),
  ];
  return {
    ...(policy && { compliance: policy }),
    ...(configured && { alerts: configured }),
    ...(happened && {
      events: happened,
      eventsSince: events.known ? eventsSince : (before?.eventsSince ?? eventsSince),
    }),
  };
}

/** A project whose clusters could not be listed: one finding says so, and everything known of it stays as it was. */
export function unreadableProject(
  { organizationId, policy, reading: { now } }: Audit,
  project: { readonly id: string; readonly name: string },
  why: Extract<Read<unknown>, { known: false }>,
  previous: PreviousProject | undefined,
): AuditedProject {
  const { id, name } = project;
  const unreadable = unreadOf(why, project);
  const about: About = { organizationId, projectId: id, projectName: name, clusterId: null, clusterName: null };
  const old = new Map(previous?.project.findings.map((each) => [each.id, each]));
  return {
    project: {
      kind: 'project',
      id,
      name,
      read: false,
      unreadable,
      excludedInternal: previous?.project.excludedInternal ?? 0,
      findings: [
        ...[...old.values()].filter(({ rule }) => rule !== coverage.id).map(keptAsItWas),
        unreadableFinding(about, why.reason, unreadable, policy.digest, old, now),
      ],
      gone: [],
      memory: previous?.project.memory ?? {},
    },
    clusters: (previous?.clusters ?? []).map((each) => ({
      ...each,
      complete: false,
      findings: each.findings.map(keptAsItWas),
    })),
  };
}

function unreadableFinding(
  about: About,
  reason: string,
  unreadable: readonly Unreadable[],
  digest: string,
  old: ReadonlyMap<string, Finding>,
  now: number,
): Finding {
  const evidence = { unreadable: unreadable.map(({ operation, cause }) => ({ operation, cause })) };
  const judgement = {
    rule: coverage.id,
    status: 'UNKNOWN',
    reason: `could not be read: ${reason}`,
    severity: coverage.severity,
    evidence,
    exemption: null,
  } as const;
  return findingOf(judgement, about, digest, old.get(findingId(about, coverage.id)), now);
}

/** Told once, when a project that could not be read can be read again. */
function readableAgain(about: About, digest: string, old: ReadonlyMap<string, Finding>, now: number): Finding[] {
  const before = old.get(findingId(about, coverage.id));
  if (!before || !isOpen(before.status)) return [];
  const judgement = {
    rule: coverage.id,
    status: 'PASS',
    reason: 'the project can be read again',
    severity: coverage.severity,
    evidence: {},
    exemption: null,
  } as const;
  return [findingOf(judgement, about, digest, before, now)];
}
