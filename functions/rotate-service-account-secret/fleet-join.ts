import * as z from 'zod';
import { ClientId } from '../../lib/atlas/operations/shapes.ts';
import type { SecretsManager } from '../../lib/aws/secrets-manager.ts';
import { AutomationError } from '../../lib/errors.ts';
import type { Deadline } from '../../lib/runtime/deadline.ts';
import { parseJson } from '../../lib/runtime/json.ts';
import type { RotationSettings } from './contract.ts';
import { parseCredential } from './credential.ts';
import { RotationStopped } from './errors.ts';
import type { SeenManaged } from './fleet-classify.ts';
import type { Discovered } from './fleet-discover.ts';
import type { FleetReport } from './fleet-report.ts';
import { eachOf } from './fleet-spread.ts';
import { identifyCurrent } from './identify.ts';

/** Values read side by side. Secrets Manager takes thousands of these calls a second. */
const READS_AT_ONCE = 16;

type Unreadable = FleetReport['coverage']['managedSecrets']['unreadable'][number];

export interface Joined {
  readonly managed: readonly SeenManaged[];
  readonly unreadable: readonly Unreadable[];
}

/** What every managed secret's AWSCURRENT says of whose it is. What can't be read is named; nothing else is kept of a value. */
export async function joinManaged(
  { secrets }: RotationSettings,
  { accounts, read }: Discovered,
  secretsManager: SecretsManager,
  deadline: Deadline,
): Promise<Joined> {
  const bySa = new Map(accounts.map((account) => [account.clientId, account]));
  const managed: SeenManaged[] = [];
  const unreadable: Unreadable[] = [];
  await eachOf(secrets, READS_AT_ONCE, async ({ secret: managedSecret }) => {
    try {
      const value = await secretsManager.read(managedSecret, { stage: 'AWSCURRENT' }, deadline);
      if (value === undefined)
        throw new RotationStopped('ROTATION_SECRET_UNUSABLE', `${managedSecret} has no AWSCURRENT value`);
      const { clientId, clientSecret, secretId, orgId, groupId } = parseCredential(value, 'AWSCURRENT');
      const slots = bySa.get(clientId)?.secrets ?? [];
      managed.push({
        managedSecret,
        holds: { clientId, secretId: secretId ?? identifyCurrent(clientSecret, slots) },
        isWithin: read.has(orgId ?? groupId ?? ''),
      });
    } catch (error) {
      if (!(error instanceof AutomationError)) throw error;
      const { code, message: reason } = error;
      managed.push({ managedSecret, problem: `${code}: ${reason}`, isWithin: false });
      unreadable.push({ managedSecret, code, reason });
    }
  });
  return { managed, unreadable };
}

const Holder = z.object({ clientId: ClientId });
const ApiKey = z.object({ publicKey: z.string() });

/**
 * The accounts that the settings let administer others: those whose credentials are in an `adminSecret`, and the
 * automation's own. Undefined as a whole where one of them can't be told.
 */
export async function administratorsOf(
  { secrets }: RotationSettings,
  ownSecret: string,
  secretsManager: SecretsManager,
  deadline: Deadline,
): Promise<{ readonly administrators: ReadonlySet<string> | undefined; readonly unreadable: readonly Unreadable[] }> {
  const found = new Set<string>();
  const unreadable: Unreadable[] = [];
  const named = new Set([ownSecret, ...secrets.flatMap(({ adminSecret }) => adminSecret ?? [])]);
  await eachOf(named, READS_AT_ONCE, async (managedSecret) => {
    try {
      const value = parseJson((await secretsManager.read(managedSecret, { stage: 'AWSCURRENT' }, deadline)) ?? '');
      const holder = Holder.safeParse(value);
      if (holder.success) found.add(holder.data.clientId);
      else if (!ApiKey.safeParse(value).success)
        throw new RotationStopped('ROTATION_VALUE_NOT_OURS', `${managedSecret} holds no credentials of Atlas`);
    } catch (error) {
      if (!(error instanceof AutomationError)) throw error;
      unreadable.push({ managedSecret, code: error.code, reason: error.message });
    }
  });
  return { administrators: unreadable.length === 0 ? found : undefined, unreadable };
}
