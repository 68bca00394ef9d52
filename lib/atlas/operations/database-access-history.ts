import * as z from 'zod';
import { operation } from './define.ts';
import { ClusterName, GroupId, SentAddress, SentDate } from './shapes.ts';

/** An instant to send, as milliseconds since 1970; nothing before 2008 is taken. */
const EpochMs = SentDate.transform((date) => date.getTime()).refine(
  (ms) => ms >= 1_199_145_600_000,
  'must not be before 2008',
);

/**
 * The document promises ISO 8601 in words and nothing in its schema: what JavaScript reads as a date is taken, and what
 * it can't read is no reason to lose the rest of the log.
 */
const LogInstant = z.string().transform((text): Date | undefined => {
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? undefined : date;
});

/** One attempt to authenticate against the cluster. */
export const AccessLogEntry = z.object({
  timestamp: LogInstant.nullish(),
  authResult: z.boolean().nullish(),
  /** Null where it succeeded. */
  failureReason: z.string().nullish(),
  username: z.string().nullish(),
  authSource: z.string().nullish(),
  ipAddress: z.string().nullish(),
  hostname: z.string().nullish(),
  logLine: z.string().nullish(),
});

/**
 * Who tried to sign in to a cluster in the last seven days. No pages: at most `nLogs` entries, 20,000 unless asked, and
 * no word about what was left out. Of busy times entries may be missing altogether. Not for M0 and Flex clusters.
 * Role: Project Cluster Log Viewer or Project Database Access Admin.
 */
export const getGroupDbAccessHistoryCluster = operation({
  id: 'getGroupDbAccessHistoryCluster',
  summary: 'The attempts to authenticate against a cluster',
  method: 'GET',
  path: '/api/atlas/v2/groups/{groupId}/dbAccessHistory/clusters/{clusterName}',
  version: '2023-01-01',
  repeat: 'safe',
  params: z.strictObject({ groupId: GroupId, clusterName: ClusterName }),
  query: z
    .strictObject({
      authResult: z.boolean().describe('only attempts that succeeded, or only those that failed').optional(),
      start: EpochMs.describe('only attempts after this instant (ISO 8601 with its zone)').optional(),
      end: EpochMs.describe('only attempts before this instant (ISO 8601 with its zone)').optional(),
      ipAddress: SentAddress.describe('only attempts from this address').optional(),
      nLogs: z.int().min(0).max(20_000).describe('how many at most').optional(),
    })
    .refine(({ start, end }) => (start === undefined) === (end === undefined), {
      path: ['start'],
      message: 'must come together with end',
    }),
  response: z.object({ accessLogs: z.array(AccessLogEntry).nullish() }),
});
