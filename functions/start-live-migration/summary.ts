import type { MigrationSettings } from './contract.ts';
import { bothTimes, deadlineOf } from './course.ts';
import { guidanceOf, nextSteps } from './guidance.ts';
import type { Run } from './run.ts';

/** Where a migration stands, for people and for programs: what `status` and the watcher answer. */
export function summaryOf(run: Run, now: Date, policy: MigrationSettings) {
  const end = deadlineOf(run, now, policy);
  const last = run.polls.at(-1);
  return {
    runId: run.runId,
    state: run.state,
    reason: run.reason,
    destination: run.request.destination,
    source: { groupId: run.request.source.groupId, clusterName: run.request.source.clusterName },
    migrationHost: run.request.migrationHost,
    requestedBy: run.requestedBy,
    planDigest: run.planDigest,
    liveMigrationId: run.liveMigrationId ?? null,
    startedAt: run.startedAt ?? null,
    endedAt: run.endedAt ?? null,
    polledAt: run.polledAt ?? null,
    nextPollAt: run.nextPollAt,
    readyForCutover: last?.ready ?? false,
    lagSeconds: last?.lagSeconds ?? null,
    secondsToCatchUp: secondsToCatchUp(run),
    oplogHeadroom:
      run.oplogWindowSeconds && last?.lagSeconds != null ? 1 - last.lagSeconds / run.oplogWindowSeconds : null,
    deadline: end
      ? {
          earliest: end.earliest.toISOString(),
          latest: end.latest.toISOString(),
          local: `${bothTimes(end.earliest, policy)} to ${bothTimes(end.latest, policy)}`,
        }
      : null,
    approval: run.asked ?? null,
    approvedBy: run.approval?.by ?? null,
    cutover: run.cutover ?? null,
    notMigrated: run.notMigrated,
    rollback: guidanceOf(run),
    nextSteps: nextSteps(run),
    snapshotId: run.snapshotId ?? null,
    record: { entries: run.record.seq + 1, hash: run.record.hash },
  };
}

/** When the lag reaches nothing, by how it shrank over the looks of the last hour; null where it does not shrink. Pure. */
export function secondsToCatchUp({ polls }: Pick<Run, 'polls'>): number | null {
  const last = polls.at(-1);
  if (last?.lagSeconds == null) return null;
  const first = polls.find(
    ({ at, lagSeconds }) => lagSeconds !== null && Date.parse(last.at) - Date.parse(at) <= 3_600_000,
  );
  if (first?.lagSeconds == null || first === last) return null;
  const seconds = (Date.parse(last.at) - Date.parse(first.at)) / 1000;
  const caughtUp = first.lagSeconds - last.lagSeconds;
  return caughtUp > 0 && seconds > 0 ? Math.round((last.lagSeconds * seconds) / caughtUp) : null;
}
