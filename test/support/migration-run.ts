import { BEGINNING } from '../../functions/start-live-migration/change.ts';
import { MigrationRequest, MigrationSettings } from '../../functions/start-live-migration/contract.ts';
import { type Run, requestHashOf } from '../../functions/start-live-migration/run.ts';

export const policy = MigrationSettings.parse({});
export const digest = 'd'.repeat(64);

export const request = MigrationRequest.parse({
  orgId: 'a'.repeat(24),
  source: { groupId: 'b'.repeat(24), clusterName: 'orders', ssl: true, managedAuthentication: true },
  destination: { groupId: 'c'.repeat(24), clusterName: 'orders', hostnameSchemaType: 'PUBLIC' },
  migrationHost: 'host.example.com',
});

export const began = new Date('2026-05-01T00:00:00Z');
export const later = (seconds: number): Date => new Date(began.getTime() + seconds * 1000);

/** A migration that Atlas just started. */
export const running = (over: Partial<Run> = {}): Run => ({
  runId: 'lm-0123456789abcdef0123',
  state: 'SYNCING',
  reason: 'Atlas copies the data',
  createdAt: began.toISOString(),
  requestedBy: 'ada',
  plannedBy: 'ada',
  request,
  requestHash: requestHashOf(request),
  planDigest: digest,
  notMigrated: [],
  start: { intendedAt: began.toISOString(), until: later(180).toISOString() },
  liveMigrationId: 'e'.repeat(24),
  startedAt: began.toISOString(),
  polls: [],
  steady: 0,
  warned: [],
  missing: 0,
  nextPollAt: began.toISOString(),
  held: true,
  undo: { fcvPinned: false, archives: [], secretMarked: false, attempts: 0 },
  record: { seq: -1, hash: BEGINNING, unwritten: [] },
  toTell: [],
  ...over,
});
