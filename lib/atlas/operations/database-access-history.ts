import * as z from 'zod';
import { operation } from './define.ts';
import { ClusterName, GroupId } from './shapes.ts';

/** An instant to send, as milliseconds since 1970; nothing before 2008 is taken. */
const EpochMs = z
  .date()
  .min(new Date(1_199_145_600_000))
  .transform((date) => date.getTime());

/**
 * The document promises ISO 8601 in words and nothing in its schema: any date JavaScript reads is taken, and what it
 * can't read is no reason to lose the rest of the log.
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
  params: z.object({ groupId: GroupId, clusterName: ClusterName }),
  query: z
    .object({
      /** Only the attempts that succeeded, or only those that failed. */
      authResult: z.boolean().optional(),
      start: EpochMs.optional(),
      end: EpochMs.optional(),
      ipAddress: z.union([z.ipv4(), z.ipv6()]).optional(),
      nLogs: z.int().min(0).max(20_000).optional(),
    })
    .refine(({ start, end }) => (start === undefined) === (end === undefined), 'start and end must come together'),
  response: z.object({ accessLogs: z.array(AccessLogEntry).nullish() }),
});
