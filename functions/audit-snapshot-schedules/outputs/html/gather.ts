import { once } from 'node:events';
import { finished } from 'node:stream/promises';
import { constants, createDeflateRaw } from 'node:zlib';
import type { Markup } from '../../../../lib/html/markup.ts';
import type { ClusterSummary, Finding, ReportSource, Status } from '../../report.ts';
import { isOpen } from '../../report.ts';
import { clusterRow } from './cluster-row.ts';
import type { Held } from './others.ts';
import type { Sums } from './overview.ts';
import { freshness } from './states.ts';
import { graverTold, type Told, toldOf } from './told.ts';
import { type Entry, entryOf, graverFirst, Worst, worstFirst } from './worst-first.ts';

/** Clusters that stand in the page itself, for readers without a script. */
export const SHOWN = 500;
const OUTSIDE_SHOWN = 500;
const CLOSED_SHOWN = 200;
/** Between two rows in the packed block. Markup never holds it: a less-than sign from outside is always escaped. */
export const ROW_END = '<!--/-->';

const HOUR = 3_600;
const AGES = [
  ['under 6 h', 6 * HOUR],
  ['6–12 h', 12 * HOUR],
  ['12–24 h', 24 * HOUR],
  ['1–2 d', 48 * HOUR],
  ['2–7 d', 7 * 24 * HOUR],
  ['over 7 d', Number.POSITIVE_INFINITY],
] as const;

/** All of a report that its page needs, in about the size of the page. */
export interface Gathered {
  readonly sums: Sums;
  /** Every cluster, worst first. */
  readonly order: readonly Entry[];
  /** Rows of the worst, in that order. */
  readonly shown: readonly Markup[];
  /** All rows in the order of the source, deflated and in base64; undefined where `shown` has them all. */
  readonly packed: readonly string[] | undefined;
  readonly outside: { readonly findings: readonly Told[]; readonly all: number };
  readonly closed: { readonly findings: readonly Finding[]; readonly all: number };
  readonly held: readonly Held[];
}

export async function gather(source: ReportSource): Promise<Gathered> {
  const { told, outside, closed, held, opened } = await gatherFindings(source);
  const severityOf = new Map(source.head.rules.map(({ id, severity }) => [id, severity]));
  const end = Date.parse(source.head.finishedAt) / 1000;
  const worst = new Worst<{ entry: Entry; row: Markup }>(SHOWN, (a, b) => worstFirst(a.entry, b.entry));
  const order: Entry[] = [];
  const ages = [...AGES.map(([name]) => name), 'none'].map((name) => ({
    name,
    byStatus: new Map<Status, number>(),
  }));
  let [failing, critical] = [0, 0];
  let oldestSeconds: number | undefined;
  const packer = createPacker();

  for await (const cluster of source.clusters()) {
    const entry = entryOf(cluster, order.length, severityOf);
    const own = (told.get(cluster.clusterId) ?? []).toSorted(graverTold);
    const row = clusterRow(cluster, own, end);
    told.delete(cluster.clusterId);
    order.push(entry);
    worst.add({ entry, row });
    await packer.add(`${row}${ROW_END}`);
    if (entry.failing.length > 0) failing += 1;
    if ((entry.weight[0] ?? 0) > 0) critical += 1;
    const age = cluster.newestSnapshotAgeSeconds;
    if (age !== null) oldestSeconds = Math.max(oldestSeconds ?? 0, age);
    const byStatus = ages[columnOf(cluster)]?.byStatus;
    const status = freshness(cluster);
    byStatus?.set(status, (byStatus.get(status) ?? 0) + 1);
  }
  // Findings of clusters that this run knows nothing else of: kept from earlier ones, and shown as that.
  for (const finding of [...told.values()].flat()) outside.add(finding);
  const keptFailing = [...told.values()].filter((of) => of.some(({ status }) => status === 'FAIL')).length;
  const packed = await packer.end();
  return {
    sums: { clusters: order.length, failing, critical, opened, keptFailing, oldestSeconds, ages },
    order: order.toSorted(worstFirst),
    shown: worst.inOrder().map(({ row }) => row),
    packed: order.length > SHOWN ? packed : undefined,
    outside: { findings: outside.inOrder(), all: outside.added },
    closed: { findings: closed.inOrder(), all: closed.added },
    held,
  };
}

const columnOf = ({ newestSnapshotAgeSeconds: age }: ClusterSummary): number =>
  age === null ? AGES.length : AGES.findIndex(([, under]) => age < under);

async function gatherFindings({ head, findings }: ReportSource): Promise<{
  told: Map<string, Told[]>;
  outside: Worst<Told>;
  closed: Worst<Finding>;
  opened: number;
  held: readonly Held[];
}> {
  const rules = new Map(head.rules.map((rule) => [rule.id, rule]));
  const told = new Map<string, Told[]>();
  const outside = new Worst<Told>(OUTSIDE_SHOWN, graverFirst);
  const closed = new Worst<Finding>(CLOSED_SHOWN, (a, b) => (a.id < b.id ? -1 : 1));
  const held = new Map<string, { exemption: Held['exemption']; findings: number }>();
  let opened = 0;
  for await (const finding of findings()) {
    const { change, status, previousStatus, clusterId, exemption } = finding;
    if (change === 'resolved' || change === 'gone') closed.add(finding);
    if (change === 'gone') continue;
    if (isOpen(status) && (previousStatus === null || !isOpen(previousStatus))) opened += 1;
    if (exemption) {
      const by = held.get(exemption.name) ?? { exemption, findings: 0 };
      by.findings += 1;
      held.set(exemption.name, by);
    }
    if (!isOpen(status) && status !== 'EXEMPT') continue;
    const one = toldOf(finding, head, rules.get(finding.rule));
    if (clusterId === null) {
      outside.add(one);
      continue;
    }
    const of = told.get(clusterId);
    if (of) of.push(one);
    else told.set(clusterId, [one]);
  }
  return {
    told,
    outside,
    closed,
    opened,
    held: [...held.values()].toSorted((a, b) => (a.exemption.until < b.exemption.until ? -1 : 1)),
  };
}

/** Deflates as it goes, so that all rows together are held only small. */
function createPacker(): { add(text: string): Promise<void>; end(): Promise<string[]> } {
  const deflate = createDeflateRaw({ level: constants.Z_DEFAULT_COMPRESSION });
  const chunks: Buffer[] = [];
  deflate.on('data', (chunk: Buffer) => chunks.push(chunk));
  const done = finished(deflate);
  return {
    async add(text) {
      if (!deflate.write(text)) await once(deflate, 'drain');
    },
    async end() {
      deflate.end();
      await done;
      const packed = Buffer.concat(chunks);
      // A multiple of three bytes each, so that the pieces join to one base64 text.
      const size = 48 * 1024;
      return Array.from({ length: Math.ceil(packed.length / size) }, (_, at) =>
        packed.subarray(at * size, (at + 1) * size).toString('base64'),
      );
    },
  };
}
