import type { AtlasClient, Dated } from '../../lib/atlas/client.ts';
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
import type { MaskedSlot } from './identify.ts';

/** One service account's secrets in Atlas, whichever of the two scopes it is managed through. */
export interface Account {
  readonly clientId: string;
  readonly scope: Scope;
  /** Who acts on it. */
  readonly atlas: AtlasClient;
  /** Every secret there is, expired ones included, and the instant by Atlas's clock. */
  secrets(deadline: Deadline): Promise<{ slots: MaskedSlot[]; now: Date }>;
  /** Makes a secret, and shortens the others to seven days. Never sent twice: see AtlasOutcomeUnknown. */
  mint(lifetimeHours: number, deadline: Deadline): Promise<Dated<MintedSecret>>;
  /** Deletes a secret and every token minted from it. Fine when it is gone already. */
  remove(secretId: string, deadline: Deadline): Promise<{ readonly requestId: string | undefined }>;
}

export function accountOf(atlas: AtlasClient, scope: Scope, clientId: string): Account {
  return {
    clientId,
    scope,
    atlas,

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
        ? atlas.callDated(createOrgServiceAccountSecret, { params: { orgId: scope.orgId, clientId }, body }, deadline)
        : atlas.callDated(
            createGroupServiceAccountSecret,
            { params: { groupId: scope.groupId, clientId }, body },
            deadline,
          );
    },

    async remove(secretId, deadline) {
      try {
        const { requestId } =
          'orgId' in scope
            ? await atlas.callDated(
                deleteOrgServiceAccountSecret,
                { params: { orgId: scope.orgId, clientId, secretId } },
                deadline,
              )
            : await atlas.callDated(
                deleteGroupServiceAccountSecret,
                { params: { groupId: scope.groupId, clientId, secretId } },
                deadline,
              );
        return { requestId };
      } catch (error) {
        if (!(error instanceof AtlasRejected && error.status === 404)) throw error;
        return { requestId: undefined };
      }
    },
  };
}
