/** An audit in pieces, as the state machine calls them: the built bundle, plan, chunks, merge. */
import { describe, expect, it } from 'vitest';
import { type Report, Report as ReportSchema } from '../../functions/audit-snapshot-schedules/report.ts';
import { Manifest } from '../../functions/audit-snapshot-schedules/store.ts';
import { bus, one, type Scene, scene } from '../support/audit-scene.ts';

const AUDIT = 'audit-snapshot-schedules';

interface Item {
  readonly action: 'chunk';
  readonly organizationId: string;
  readonly runId: string;
  readonly chunk: number;
}
interface Planned {
  readonly items: string | null;
  readonly chunks: number;
  readonly organizations: { readonly organizationId: string; readonly runId: string }[];
}

const plan = async ({ machine, get }: Scene, event = {}): Promise<{ planned: Planned; items: Item[] }> => {
  const planned = (await machine.invoke(AUDIT, { action: 'plan', ...event })) as Planned;
  return { planned, items: planned.items === null ? [] : JSON.parse(await get(planned.items)) };
};
const errorOf = (work: Promise<unknown>): Promise<string | undefined> =>
  work.then(
    () => undefined,
    (failed: { errorType?: string }) => failed.errorType ?? String(failed),
  );
const reportOf = async ({ get, org }: Scene, runId: string): Promise<{ report: Report; manifest: Manifest }> => ({
  report: ReportSchema.parse(JSON.parse(await get(`audits/${org.id}/runs/${runId}/report.json`))),
  manifest: Manifest.parse(JSON.parse(await get(`audits/${org.id}/runs/${runId}/manifest.json`))),
});

/** Six projects of two clusters each, two projects to a chunk; everything that fails in `off` has no backup. */
async function estate() {
  const made = await scene({ audit: { distributed: { clustersPerChunk: 6 } } });
  const projects = Array.from({ length: 6 }, () => made.project()).toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const clusters = projects.map((each) => [made.cluster(each, { backupEnabled: false }), made.cluster(each)] as const);
  return { ...made, projects, clusters };
}

describe('an audit in pieces', () => {
  it('says the same as one in one piece, with every cluster in one part', async () => {
    const made = await estate();
    const { planned, items } = await plan(made);
    expect(items.map(({ chunk }) => chunk)).toEqual([1, 2, 3]);
    expect(planned).toMatchObject({ chunks: 3, organizations: [{ action: 'merge', organizationId: made.org.id }] });
    // In whatever order they come to be done.
    await Promise.all(items.toReversed().map((item) => made.machine.invoke(AUDIT, item)));
    const { runId } = planned.organizations[0]!;
    const answer = await made.machine.invoke(AUDIT, { action: 'merge', organizationId: made.org.id, runId });
    expect(answer).toMatchObject({ audits: [{ exitState: 'complete', coverage: { projects: 6, clusters: 12 } }] });
    const { report, manifest } = await reportOf(made, runId);
    const all = manifest.parts.flatMap(({ clusters }) => clusters);
    expect(all).toHaveLength(12);
    expect(new Set(all).size).toBe(12);
    expect(report.cost.calls).toBeGreaterThan(6 * 2);
    const { report: whole } = await made.audit({ mode: 'full' });
    const bare = ({ findings }: Report) => findings.map(({ id, status }) => ({ id, status }));
    expect(bare(report)).toEqual(bare(whole));
    // The run in one piece was compared with the one in three: nothing is new to it.
    expect(whole.totals.byChange).toMatchObject({ new: 0, gone: 0, resolved: 0, unchanged: whole.findings.length });
  }, 60_000);

  it('of which one failed is partial: what that piece is about stays as it was', async () => {
    const made = await estate();
    const { machine, projects, clusters, org } = made;
    await made.audit();
    for (const [off] of clusters) off.backupEnabled = true;
    const { planned, items } = await plan(made, { mode: 'full' });
    const told = bus(machine).length;
    await machine.invoke(AUDIT, items[0]!);
    await machine.invoke(AUDIT, items[2]!);
    // The second breaks where it writes what it read.
    machine.faults.plan(
      [1, 2, 3, 4].map((nth) => ({ operation: 'PutObject', nth, fault: { kind: 'refuse', status: 403 } })),
    );
    expect(await errorOf(machine.invoke(AUDIT, items[1]!))).toBe('AwsCallFailed');
    machine.faults.plan([]);
    const { runId } = planned.organizations[0]!;
    const merge = { action: 'merge', organizationId: org.id, runId };
    expect(await errorOf(machine.invoke(AUDIT, merge))).toBe('AuditIncomplete');
    const { report, manifest } = await reportOf(made, runId);
    expect(report).toMatchObject({ exitState: 'partial', coverage: { projects: 6, projectsRead: 4, clusters: 12 } });
    const lost = projects.slice(2, 4).map(({ id }) => id);
    expect(report.coverage.unreadable.map(({ projectId, operation }) => [projectId, operation])).toEqual(
      lost.map((id) => [id, 'audit']),
    );
    for (const [nth, [off]] of clusters.entries()) {
      expect(one(report, 'BK-01', off)).toMatchObject(
        nth === 2 || nth === 3
          ? { status: 'FAIL', change: 'unchanged' }
          : { status: 'PASS', change: 'resolved', previousStatus: 'FAIL' },
      );
    }
    expect(new Set(manifest.parts.flatMap((part) => part.clusters)).size).toBe(12);
    const closed = bus(machine)
      .slice(told)
      .filter((event) => event['detail-type'] === 'Backup Finding Resolved')
      .map(({ detail }) => String(detail['findingId']));
    expect(closed.length).toBeGreaterThan(0);
    expect(closed.filter((id) => lost.some((project) => id.includes(project)))).toEqual([]);

    // Merged once more, after its answer was lost, it is the same run; the next one mends what was lost.
    expect(await errorOf(machine.invoke(AUDIT, merge))).toBe('AuditIncomplete');
    const next = await plan(made, { mode: 'full' });
    expect(next.planned.organizations[0]?.runId).not.toBe(runId);
    for (const item of next.items) await machine.invoke(AUDIT, item);
    await machine.invoke(AUDIT, { ...merge, runId: next.planned.organizations[0]?.runId });
    const mended = (await reportOf(made, next.planned.organizations[0]!.runId)).report;
    expect(mended.exitState).toBe('complete');
    expect(one(mended, 'BK-01', clusters[2]![0])).toMatchObject({ status: 'PASS', change: 'resolved' });
  }, 60_000);

  it('is planned once, and no piece is read twice', async () => {
    const made = await estate();
    const first = await plan(made);
    const second = await plan(made);
    expect(second).toEqual(first);
    const [item] = first.items;
    await made.machine.invoke(AUDIT, item!);
    const from = made.machine.faults.journal.length;
    expect(await made.machine.invoke(AUDIT, item!)).toMatchObject({ projects: 2, clusters: 4 });
    expect(made.calls(from).filter((name) => name === 'listGroupClusters')).toEqual([]);
  }, 60_000);

  it('has no piece that writes into a run which is over', async () => {
    const made = await estate();
    const { items } = await plan(made);
    await made.audit({ anew: true, mode: 'full' });
    expect(await errorOf(made.machine.invoke(AUDIT, items[0]!))).toBe('AuditTakenOver');
  }, 60_000);

  it('of nothing is nothing', async () => {
    const made = await scene({ audit: { distributed: { clustersPerChunk: 6 } } });
    expect(await plan(made)).toEqual({ planned: { items: null, chunks: 0, organizations: [] }, items: [] });
  }, 60_000);
});
