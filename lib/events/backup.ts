import * as z from 'zod';

/** What both events say of a finding. Names are chosen by people: untrusted wherever they are shown. */
const Finding = z.object({
  /** `<organization>/<project>/<cluster id>/<rule>`, with `-` for what it has none of: tells repeats apart. */
  findingId: z.string(),
  rule: z.string(),
  title: z.string(),
  severity: z.enum(['critical', 'high', 'medium', 'low', 'info']),
  reason: z.string(),
  organizationId: z.string(),
  projectId: z.string().nullable(),
  projectName: z.string().nullable(),
  clusterId: z.string().nullable(),
  clusterName: z.string().nullable(),
  firstSeen: z.iso.datetime(),
  runId: z.string(),
  policyDigest: z.string(),
});

/** A backup does not keep what the policy asks for. Sent at least once for as long as the finding is open. */
export const BackupFindingOpened = Finding.extend({ remedy: z.string() });
export type BackupFindingOpened = z.output<typeof BackupFindingOpened>;
export const BACKUP_FINDING_OPENED = 'Backup Finding Opened';

/** A finding that was told of is closed: mended, exempt, or its cluster is gone. Sent at least once. */
export const BackupFindingResolved = Finding.extend({
  /** `resource_gone` where nothing was mended. */
  closedAs: z.enum(['mended', 'exempt', 'not_applicable', 'resource_gone']),
});
export type BackupFindingResolved = z.output<typeof BackupFindingResolved>;
export const BACKUP_FINDING_RESOLVED = 'Backup Finding Resolved';
