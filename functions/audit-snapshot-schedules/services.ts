import type { AtlasClient } from '../../lib/atlas/client.ts';
import { createAtlas } from '../../lib/aws/atlas-access.ts';
import { createEventBatches, type EventBatches } from '../../lib/aws/event-batches.ts';
import { createReportStreams, type ReportStreams } from '../../lib/aws/report-streams.ts';
import { createReports, type Reports } from '../../lib/aws/reports.ts';
import { createState, type State } from '../../lib/aws/state.ts';
import { systemClock } from '../../lib/runtime/clock.ts';
import type { AuditSettings, Config } from './contract.ts';
import { type Budget, createBudget } from './inventory/budget.ts';

/** What both functions work with. */
export interface Services {
  /** A client and the budget it keeps, for one invocation: what one run spent is no concern of the next. */
  readonly atlas: () => { readonly client: AtlasClient; readonly budget: Budget };
  readonly state: State;
  readonly reports: Reports;
  readonly streams: ReportStreams;
  readonly events: EventBatches;
}

/** The whole of a pause may be jitter: the client itself takes half of it at the least. */
export const fullJitter =
  (random: () => number): (() => number) =>
  () =>
    random() * 2 - 1;

/** The outside world as it is. */
export function createServices(
  {
    MONGODB_ATLAS_BASE_URL: origin,
    ATLAS_CREDENTIALS_SECRET: credentialsSecret,
    STATE_TABLE,
    REPORT_BUCKET,
    EVENT_BUS,
  }: Config,
  { sockets, retry }: Pick<AuditSettings, 'sockets' | 'retry'>,
): Services {
  return {
    atlas() {
      const budget = createBudget(sockets, systemClock);
      const random = fullJitter(Math.random);
      return { client: createAtlas({ origin, credentialsSecret, pace: budget, backoff: retry, random }), budget };
    },
    state: createState(STATE_TABLE),
    reports: createReports(REPORT_BUCKET),
    streams: createReportStreams(REPORT_BUCKET),
    events: createEventBatches(EVENT_BUS),
  };
}
