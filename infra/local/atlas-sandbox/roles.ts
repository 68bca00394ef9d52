import * as z from 'zod';

/** Organization roles an account can hold, as the published document lists them. */
export const orgRole = z.enum([
  'ORG_MEMBER',
  'ORG_READ_ONLY',
  'ORG_BILLING_ADMIN',
  'ORG_BILLING_READ_ONLY',
  'ORG_STREAM_PROCESSING_ADMIN',
  'ORG_GROUP_CREATOR',
  'ORG_OWNER',
]);
export type OrgRole = z.infer<typeof orgRole>;

/** Project roles an account can hold. */
export const groupRole = z.enum([
  'GROUP_OWNER',
  'GROUP_READ_ONLY',
  'GROUP_CLUSTER_MANAGER',
  'GROUP_BACKUP_MANAGER',
  'GROUP_ALERTS_MANAGER',
  'GROUP_NETWORK_ACCESS_MANAGER',
  'GROUP_ACCESS_MANAGER',
  'GROUP_CLUSTER_LOG_VIEWER',
  'GROUP_DATABASE_ACCESS_ADMIN',
  'GROUP_STREAM_PROCESSING_OWNER',
  'GROUP_SEARCH_INDEX_EDITOR',
  'GROUP_DATA_ACCESS_ADMIN',
  'GROUP_DATA_ACCESS_READ_WRITE',
  'GROUP_DATA_ACCESS_READ_ONLY',
]);
export type GroupRole = z.infer<typeof groupRole>;

/** What an operation asks of its caller, in the words of `x-rolesRequirements`. */
export type OrgRequirement = 'Organization Member' | 'Organization Read Only' | 'Organization Owner';
export type GroupRequirement =
  | 'Project Read Only'
  | 'Project Owner'
  | 'Project Alerts Manager'
  | 'Project Network Access Manager'
  | 'Project Access Manager'
  | 'Project Cluster Log Viewer'
  | 'Project Database Access Admin'
  | 'Project Backup Manager'
  | 'Project Search Index Editor'
  | 'Project Data Access Admin'
  | 'Project Data Access Read Write'
  | 'Project Data Access Read Only'
  | 'Project Stream Processing Owner'
  | 'Organization Member'
  | 'Organization Owner';

const orgRolesThatMeet: Record<OrgRequirement, readonly OrgRole[]> = {
  'Organization Member': orgRole.options,
  'Organization Read Only': ['ORG_READ_ONLY', 'ORG_OWNER'],
  'Organization Owner': ['ORG_OWNER'],
};

// Every project role reads the project; what an organization role is worth in a project stands below.
const groupRolesThatMeet: Record<GroupRequirement, readonly GroupRole[]> = {
  'Project Read Only': groupRole.options,
  'Project Owner': ['GROUP_OWNER'],
  'Project Alerts Manager': ['GROUP_OWNER', 'GROUP_ALERTS_MANAGER'],
  'Project Network Access Manager': ['GROUP_OWNER', 'GROUP_NETWORK_ACCESS_MANAGER'],
  'Project Access Manager': ['GROUP_OWNER', 'GROUP_ACCESS_MANAGER'],
  'Project Cluster Log Viewer': ['GROUP_OWNER', 'GROUP_CLUSTER_LOG_VIEWER'],
  'Project Database Access Admin': ['GROUP_OWNER', 'GROUP_DATABASE_ACCESS_ADMIN'],
  'Project Backup Manager': ['GROUP_OWNER', 'GROUP_BACKUP_MANAGER'],
  'Project Search Index Editor': ['GROUP_OWNER', 'GROUP_SEARCH_INDEX_EDITOR'],
  'Project Data Access Admin': ['GROUP_OWNER', 'GROUP_DATA_ACCESS_ADMIN'],
  'Project Data Access Read Write': ['GROUP_OWNER', 'GROUP_DATA_ACCESS_ADMIN', 'GROUP_DATA_ACCESS_READ_WRITE'],
  'Project Data Access Read Only': [
    'GROUP_OWNER',
    'GROUP_DATA_ACCESS_ADMIN',
    'GROUP_DATA_ACCESS_READ_WRITE',
    'GROUP_DATA_ACCESS_READ_ONLY',
  ],
  'Project Stream Processing Owner': ['GROUP_OWNER', 'GROUP_STREAM_PROCESSING_OWNER'],
  // Asked for below some projects too; no role in a project is enough for these.
  'Organization Member': [],
  'Organization Owner': [],
};

const orgRequirementThatMeets: Record<GroupRequirement, OrgRequirement> = {
  'Project Read Only': 'Organization Read Only',
  'Project Owner': 'Organization Owner',
  'Project Alerts Manager': 'Organization Owner',
  'Project Network Access Manager': 'Organization Owner',
  'Project Access Manager': 'Organization Owner',
  'Project Cluster Log Viewer': 'Organization Owner',
  'Project Database Access Admin': 'Organization Owner',
  'Project Backup Manager': 'Organization Owner',
  'Project Search Index Editor': 'Organization Owner',
  'Project Data Access Admin': 'Organization Owner',
  'Project Data Access Read Write': 'Organization Owner',
  'Project Data Access Read Only': 'Organization Owner',
  'Project Stream Processing Owner': 'Organization Owner',
  'Organization Member': 'Organization Member',
  'Organization Owner': 'Organization Owner',
};

export function meetsInOrg(requirement: OrgRequirement, held: readonly OrgRole[]): boolean {
  return held.some((role) => orgRolesThatMeet[requirement].includes(role));
}

/** Whether roles in a project, or in the organization above it, are enough for `requirement` in that project. */
export function meetsInGroup(
  requirement: GroupRequirement,
  held: readonly GroupRole[],
  heldAbove: readonly OrgRole[],
): boolean {
  return (
    held.some((role) => groupRolesThatMeet[requirement].includes(role)) ||
    meetsInOrg(orgRequirementThatMeets[requirement], heldAbove)
  );
}
