import type { AtlasClient } from '../../lib/atlas/client.ts';
import { AtlasCredentialsRefused, AtlasTokenLimitReached } from '../../lib/atlas/errors.ts';
import { getOrgGroups, listOrgs } from '../../lib/atlas/operations/organizations.ts';
import { listGroups, type Project } from '../../lib/atlas/operations/projects.ts';
import { pages } from '../../lib/atlas/pages.ts';
import type { Deadline } from '../../lib/runtime/deadline.ts';
import { AuditFailed } from './errors.ts';
import { type Read, read } from './facts.ts';
import { causeOf } from './inventory/reading.ts';
import type { Organization } from './run.ts';

/**
 * The organizations there are, with their projects. A list that breaks off is a list that breaks off: what came before is
 * audited, and nothing is concluded from what did not. Throws AuditFailed where not even one project could be listed.
 */
export async function listOrganizations(
  atlas: AtlasClient,
  organization: string | undefined,
  deadline: Deadline,
): Promise<Organization[]> {
  const projects: Project[] = [];
  let listing: Read<null> = read(null, 0);
  const operation = organization === undefined ? listGroups.id : getOrgGroups.id;
  try {
    const list =
      organization === undefined
        ? pages(atlas, listGroups, { params: {} }, deadline)
        : pages(atlas, getOrgGroups, { params: { orgId: organization } }, deadline);
    for await (const project of list) projects.push(project);
  } catch (error) {
    // Of everybody, not of one project: the run can't go on, and its own error says why.
    if (error instanceof AtlasCredentialsRefused || error instanceof AtlasTokenLimitReached) throw error;
    if (deadline.signal.aborted) throw error;
    const cause = causeOf(error);
    const reason = error instanceof Error ? error.message.slice(0, 300) : 'unknown';
    listing = { known: false, operation, cause, reason };
    if (projects.length === 0) {
      throw new AuditFailed(`no project could be listed: ${reason}`, { operation, cause }, { cause: error });
    }
  }
  const byOrganization = Map.groupBy(projects, ({ orgId }) => orgId);
  if (organization !== undefined && !byOrganization.has(organization)) byOrganization.set(organization, []);
  return [...byOrganization]
    .map(([id, own]) => ({ id, projects: distinct(own), listing }))
    .toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

/** A project that moves between pages while they are read stands in both. */
const distinct = (projects: readonly Project[]): Project[] => [
  ...new Map(projects.map((each) => [each.id, each])).values(),
];

/** What organizations are called; nothing where that can't be read, since nothing depends on it. */
export async function organizationNames(atlas: AtlasClient, deadline: Deadline): Promise<Map<string, string>> {
  const names = new Map<string, string>();
  try {
    for await (const { id, name } of pages(atlas, listOrgs, { params: {} }, deadline)) names.set(id, name);
  } catch (error) {
    if (deadline.signal.aborted) throw error;
  }
  return names;
}
