import type { AtlasClient } from '../../lib/atlas/client.ts';
import { listOrgs } from '../../lib/atlas/operations/organizations.ts';
import { listOrgServiceAccounts } from '../../lib/atlas/operations/service-accounts.ts';
import { pages } from '../../lib/atlas/pages.ts';
import type { Deadline } from '../../lib/runtime/deadline.ts';
import { slotsOf } from './fleet-discover.ts';
import type { MaskedSlot } from './identify.ts';
import type { Services } from './rotation.ts';

/** With fewer secrets than this a list saves nothing. */
export const WORTH_A_GLANCE = 10;

/**
 * The secrets of every account of the caller's organizations, in one call for each five hundred of them instead of a
 * token and a call for each. What such a list leaves out is not in the answer, and is looked at by itself.
 */
export async function glanceAt(atlas: AtlasClient, deadline: Deadline): Promise<NonNullable<Services['glance']>> {
  let now = new Date(0);
  const reader: Pick<AtlasClient, 'call' | 'follow'> = {
    async call(operation, input, within) {
      const answer = await atlas.callDated(operation, input, within);
      now = answer.at;
      return answer.data;
    },
    follow: atlas.follow,
  };
  const seen = new Map<string, { readonly slots: MaskedSlot[]; readonly now: Date }>();
  for await (const { id: orgId, isDeleted } of pages(reader, listOrgs, { params: {} }, deadline)) {
    if (isDeleted) continue;
    // Dated by the first page: every later one is younger than that.
    for await (const { clientId, secrets } of pages(reader, listOrgServiceAccounts, { params: { orgId } }, deadline))
      if (secrets) seen.set(clientId, { slots: slotsOf(secrets), now });
  }
  return (clientId) => seen.get(clientId);
}
