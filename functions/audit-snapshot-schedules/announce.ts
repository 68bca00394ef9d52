/** Tells the bus which findings opened and which are closed: at least once each, worst first, never all at once. */
import * as z from 'zod';
import type { EventBatches } from '../../lib/aws/event-batches.ts';
import type { BundleEvent } from '../../lib/aws/events.ts';
import type { Reports } from '../../lib/aws/reports.ts';
import {
  BACKUP_FINDING_OPENED,
  BACKUP_FINDING_RESOLVED,
  type BackupFindingOpened,
  type BackupFindingResolved,
} from '../../lib/events/backup.ts';
import type { Deadline } from '../../lib/runtime/deadline.ts';
import { textOf } from './parts.ts';
import { type Finding, severities } from './report.ts';
import { remedyOf } from './rules/catalogue.ts';
import { keys } from './store.ts';

/** Findings the bus was told of and has not been told the end of. */
const Announced = z.object({ open: z.array(z.string()) });

export interface Announcer {
  /** Looks at one finding of the run; a gone one says so. */
  see(finding: Finding): void;
  /** Tells what there is to tell, and remembers what was told. What is left is told by the next run. */
  tell(deadline: Deadline): Promise<{ opened: number; resolved: number; left: number }>;
}

interface Options {
  readonly reports: Reports;
  readonly events: EventBatches;
  readonly organizationId: string;
  readonly runId: string;
  readonly mostOpened: number;
}

export async function createAnnouncer(
  { reports, events, organizationId, runId, mostOpened }: Options,
  deadline: Deadline,
): Promise<Announcer> {
  const key = keys.announced(organizationId);
  const body = await reports.get(key, deadline);
  const told = new Set(body ? Announced.parse(JSON.parse(textOf(body))).open : []);
  const toOpen: Finding[] = [];
  const toClose: BundleEvent[] = [];
  let candidates = 0;

  // Worst first, and in one order whichever came first.
  const worstFirst = (a: Finding, b: Finding): number =>
    severities.indexOf(a.severity) - severities.indexOf(b.severity) || (a.id < b.id ? -1 : 1);
  return {
    see(finding) {
      const isFailing = finding.status === 'FAIL' && finding.change !== 'gone';
      if (isFailing && !told.has(finding.id)) {
        candidates++;
        toOpen.push(finding);
        // As many as are told, and no more: there may be a hundred thousand.
        if (toOpen.length > 2 * mostOpened + 100) {
          toOpen.sort(worstFirst);
          toOpen.length = mostOpened;
        }
      }
      // What is not known, and what ends soon, is not over.
      const isOver =
        finding.change === 'gone' || ['PASS', 'EXEMPT', 'NOT_APPLICABLE'].includes(finding.status) || isMended(finding);
      if (told.has(finding.id) && isOver) toClose.push(resolved(finding, runId));
    },

    async tell(until) {
      const opening = toOpen.toSorted(worstFirst).slice(0, mostOpened);
      const queue = [...toClose, ...opening.map((finding) => opened(finding, runId))];
      const refused = new Set(await events.publish(queue, until));
      let [openedNow, closedNow] = [0, 0];
      for (const event of queue) {
        if (refused.has(event)) continue;
        const id = String(event.detail['findingId']);
        if (event.detailType === BACKUP_FINDING_OPENED) {
          told.add(id);
          openedNow++;
        } else {
          told.delete(id);
          closedNow++;
        }
      }
      if (openedNow + closedNow > 0) {
        await reports.put(key, JSON.stringify({ open: [...told].toSorted() }), 'application/json', until);
      }
      return { opened: openedNow, resolved: closedNow, left: candidates - openedNow + (toClose.length - closedNow) };
    },
  };
}

/** A failure that is only a warning now, and not because an exception is about to end. */
const isMended = ({ status, exemption }: Finding): boolean => status === 'WARN' && exemption === null;

const common = (finding: Finding, runId: string) => ({
  findingId: finding.id,
  rule: finding.rule,
  title: finding.title,
  severity: finding.severity,
  reason: finding.reason.slice(0, 1_000),
  organizationId: finding.organizationId,
  projectId: finding.projectId,
  projectName: finding.projectName?.slice(0, 300) ?? null,
  clusterId: finding.clusterId,
  clusterName: finding.clusterName?.slice(0, 300) ?? null,
  firstSeen: finding.firstSeen,
  runId,
  policyDigest: finding.policyDigest,
});

function opened(finding: Finding, runId: string): BundleEvent {
  const detail: BackupFindingOpened = { ...common(finding, runId), remedy: remedyOf(finding) };
  return { detailType: BACKUP_FINDING_OPENED, detail, resources: [finding.id] };
}

function resolved(finding: Finding, runId: string): BundleEvent {
  const closedAs =
    finding.change === 'gone'
      ? 'resource_gone'
      : finding.status === 'EXEMPT'
        ? 'exempt'
        : finding.status === 'NOT_APPLICABLE'
          ? 'not_applicable'
          : 'mended';
  const detail: BackupFindingResolved = { ...common(finding, runId), closedAs };
  return { detailType: BACKUP_FINDING_RESOLVED, detail, resources: [finding.id] };
}
