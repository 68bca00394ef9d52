import type { AtlasClient } from '../../lib/atlas/client.ts';
import { AtlasContractBroken, AtlasRejected } from '../../lib/atlas/errors.ts';
import {
  createGroupServiceAccountSecret,
  createOrgServiceAccountSecret,
  deleteGroupServiceAccountSecret,
  deleteOrgServiceAccountSecret,
  getGroupServiceAccount,
  getOrgServiceAccount,
  type MintedSecret,
} from '../../lib/atlas/operations/service-accounts.ts';
import type { Deadline } from '../../lib/runtime/deadline.ts';
import type { Scope } from './credential.ts';
import type { MaskedSlot } from './decide.ts';

/** One service account's secrets in Atlas, whichever of the two scopes it is managed through. */
export interface Account {
  readonly clientId: string;
  /** Every secret there is, expired ones included, and the instant by Atlas's clock. */
  secrets(deadline: Deadline): Promise<{ slots: MaskedSlot[]; now: Date }>;
  /** Makes a secret, and shortens the others to seven days. Never sent twice: see AtlasOutcomeUnknown. */
  mint(lifetimeHours: number, deadline: Deadline): Promise<MintedSecret>;
  /** Deletes a secret and every token minted from it. Fine when it is gone already. */
  remove(secretId: string, deadline: Deadline): Promise<void>;
}

export function accountOf(atlas: AtlasClient, scope: Scope, clientId: string): Account {
  return {
    clientId,

    async secrets(deadline) {
      const { data, at } =
        'orgId' in scope
          ? await atlas.callDated(getOrgServiceAccount, { params: { orgId: scope.orgId, clientId } }, deadline)
          : await atlas.callDated(getGroupServiceAccount, { params: { groupId: scope.groupId, clientId } }, deadline);
      // An answer that leaves the list out is not an account without secrets.
      if (!data.secrets)
        throw new AtlasContractBroken('Atlas gave a service account without its secrets', {
          clientId,
          fields: ['secrets'],
        });
      const slots = data.secrets.map((secret) => ({
        id: secret.id,
        createdAt: secret.createdAt,
        expiresAt: secret.expiresAt,
        lastUsedAt: secret.lastUsedAt ?? undefined,
        mask: secret.maskedSecretValue ?? undefined,
      }));
      return { slots, now: at };
    },

    mint(lifetimeHours, deadline) {
      const body = { secretExpiresAfterHours: lifetimeHours };
      return 'orgId' in scope
        ? atlas.call(createOrgServiceAccountSecret, { params: { orgId: scope.orgId, clientId }, body }, deadline)
        : atlas.call(createGroupServiceAccountSecret, { params: { groupId: scope.groupId, clientId }, body }, deadline);
    },

    async remove(secretId, deadline) {
      try {
        await ('orgId' in scope
          ? atlas.call(deleteOrgServiceAccountSecret, { params: { orgId: scope.orgId, clientId, secretId } }, deadline)
          : atlas.call(
              deleteGroupServiceAccountSecret,
              { params: { groupId: scope.groupId, clientId, secretId } },
              deadline,
            ));
      } catch (error) {
        if (!(error instanceof AtlasRejected && error.status === 404)) throw error;
      }
    },
  };
}
