import { AwsCallFailed } from '../../lib/aws/errors.ts';
import type { SecretVersion } from '../../lib/aws/secrets-manager.ts';
import { secretsOf } from './acting.ts';
import { entryOf, policyOf } from './contract.ts';
import { parseCredential, storedLifetimeHours } from './credential.ts';
import { type AtlasView, type Decision, decide, type Policy, type SecretsManagerView } from './decide.ts';
import { RotationStopped } from './errors.ts';
import { identifyCurrent, identifyPrevious, type MaskedSlot } from './identify.ts';
import { promotionOf } from './promotion.ts';
import type { Rotation, Step } from './rotation.ts';
import { revocationVersion } from './version-ids.ts';

/** Everything there is to decide on, as far as it has been looked at. */
export interface View {
  readonly secretsManager: SecretsManagerView;
  readonly atlas: AtlasView & { readonly slots: readonly MaskedSlot[] | undefined };
  /** Atlas's clock, once Atlas has answered: every instant of Atlas is compared with it. */
  readonly now: Date;
  readonly policy: Policy;
  readonly versions?: readonly SecretVersion[];
}

type Next = { readonly decision: Exclude<Decision, { do: 'look' }>; readonly view: View };

/** What the labels alone say: no call is made. */
export function firstView(step: Step, rotation: Rotation, over: Partial<SecretsManagerView> = {}): View {
  const { secret, current, previous, pending } = rotation;
  const policy = policyOf(step.settings, entryOf(step.settings, secret));
  const versionId = step.event.ClientRequestToken;
  const underWay = versionId !== current.versionId;
  return {
    secretsManager: {
      arn: secret.arn,
      rotationEnabled: secret.rotationEnabled,
      current: {
        versionId: current.versionId,
        secretId: current.credential.secretId,
        lifetimeHours: storedLifetimeHours(current.credential),
      },
      pending: underWay
        ? { versionId, secretId: pending?.credential.secretId, state: pending ? 'stored' : 'empty' }
        : undefined,
      previous: previous && { versionId: previous.versionId, secretId: previous.credential.secretId },
      unconfirmed: false,
      superseded: false,
      promotion: undefined,
      unlabelledIds: undefined,
      waitingFor: undefined,
      ...over,
    },
    atlas: { slots: undefined, maxLifetimeHours: undefined },
    now: step.clock.now(),
    policy: {
      secretExpiresAfterHours: current.credential.secretExpiresAfterHours ?? policy.secretExpiresAfterHours,
      graceHours: policy.graceHours,
      rotatesEveryHours: secret.rotatesEveryHours ?? 0,
    },
  };
}

/** Each look tells one thing once. */
const MOST_LOOKS = 5;

/** Looks for as long as the decision needs more, and answers it. Writes nothing. */
export async function decideNext(step: Step, rotation: Rotation, from: View): Promise<Next> {
  let view = from;
  for (let looks = 0; ; looks++) {
    const decision = decide(view.secretsManager, view.atlas, view.now, view.policy);
    if (decision.do !== 'look') return { decision, view };
    if (looks >= MOST_LOOKS) throw new Error(`looking at the ${decision.at} told nothing`);
    view = await look(step, rotation, view, decision.at);
  }
}

export async function look(
  step: Step,
  rotation: Rotation,
  view: View,
  at: Extract<Decision, { do: 'look' }>['at'],
): Promise<View> {
  const { services, deadline } = step;
  const { account } = rotation;
  const { secretsManager, atlas } = view;
  const told = (more: Partial<SecretsManagerView>): View => ({
    ...view,
    secretsManager: { ...secretsManager, ...more },
  });
  switch (at) {
    case 'account': {
      const { slots, now } = services.glance?.(account.clientId) ?? (await secretsOf(step, rotation));
      return located(rotation, { ...view, atlas: { ...atlas, slots }, now });
    }
    case 'versions': {
      const versions = await services.secretsManager.versions(rotation.secret.arn, deadline);
      return { ...told({ promotion: promotionIn(rotation, view, versions) }), versions };
    }
    case 'unlabelled versions':
      return told({ unlabelledIds: await unlabelledIds(step, rotation, view) });
    case 'lifetime limit': {
      const hours =
        'orgId' in account.scope
          ? await services.maxLifetimeHours(account.atlas, account.scope.orgId, deadline)
          : undefined;
      return { ...view, atlas: { ...atlas, maxLifetimeHours: hours ?? null } };
    }
    case 'followers':
      return told({ waitingFor: await whoIsWaitedFor(step, rotation, view) });
  }
}

/** Which of the account's secrets stand behind AWSCURRENT and AWSPREVIOUS; the masks tell what a value does not. */
export function identify(
  { current, previous }: Pick<Rotation, 'current' | 'previous'>,
  slots: readonly MaskedSlot[],
): { readonly currentId: string | undefined; readonly previousId: string | undefined } {
  const currentId = current.credential.secretId ?? identifyCurrent(current.credential.clientSecret, slots);
  const masked = (): string | undefined =>
    previous && currentId !== undefined
      ? identifyPrevious(previous.credential.clientSecret, currentId, slots)
      : undefined;
  return { currentId, previousId: previous?.credential.secretId ?? masked() };
}

function located(rotation: Rotation, view: View): View {
  const { current, previous } = view.secretsManager;
  const { currentId, previousId } = identify(rotation, view.atlas.slots ?? []);
  const leakedId = view.atlas.slots?.find(({ id }) => current?.versionId === revocationVersion(id))?.id;
  return {
    ...view,
    secretsManager: {
      ...view.secretsManager,
      current: current && { ...current, secretId: currentId },
      previous: previous && { ...previous, secretId: previousId },
      leakedId,
    },
  };
}

function promotionIn(
  { secret, current, previous }: Rotation,
  { secretsManager, atlas, now }: View,
  versions: readonly SecretVersion[],
): SecretsManagerView['promotion'] {
  const begun = (id: string | undefined): Date | undefined =>
    versions.find(({ versionId }) => versionId === id)?.createdAt;
  return promotionOf({
    lastRotatedAt: secret.lastRotatedAt,
    lastChangedAt: secret.lastChangedAt,
    currentMadeAt: atlas.slots?.find(({ id }) => id === secretsManager.current?.secretId)?.createdAt,
    currentVersionAt: begun(current.versionId),
    previousVersionAt: begun(previous?.versionId),
    previousMadeAt: atlas.slots?.find(({ id }) => id === secretsManager.previous?.secretId)?.createdAt,
    now,
  });
}

async function whoIsWaitedFor(
  { services, settings, deadline }: Step,
  { secret }: Rotation,
  { secretsManager: { current, previous }, now }: View,
): Promise<readonly string[]> {
  if (!current?.secretId || !previous?.secretId) return [];
  const answer = await services.mayRetire(
    {
      secret,
      entry: entryOf(settings, secret),
      current: { versionId: current.versionId, secretId: current.secretId },
      previous: { versionId: previous.versionId, secretId: previous.secretId },
      now,
    },
    deadline,
  );
  return answer.ok ? [] : answer.waitingFor;
}

/** Looks through the versions without a label for secrets that are ours all the same: only when one is unexplained. */
async function unlabelledIds(
  { services, deadline }: Step,
  { secret, current }: Rotation,
  { atlas, versions = [] }: View,
): Promise<ReadonlySet<string>> {
  const present = new Set(atlas.slots?.map(({ id }) => id));
  const found = new Set<string>();
  for (const { versionId, stages } of versions) {
    if (stages.length > 0) continue;
    const value = await services.secretsManager.read(secret.arn, { versionId }, deadline).catch(unlessUnreadable);
    const id = value === undefined ? undefined : idIn(value, current.credential.clientId);
    if (id !== undefined && present.has(id)) found.add(id);
  }
  return found;
}

/** An old version stays under its old key, which may be gone. What it held then counts as unknown: that deletes less. */
const unlessUnreadable = (error: unknown): undefined => {
  if (!(error instanceof AwsCallFailed && error.refused && error.disposition === 'give-up')) throw error;
};

/** An old version may hold anything, another account's value too: then it says nothing about this one. */
function idIn(value: string, clientId: string): string | undefined {
  try {
    const credential = parseCredential(value, 'old');
    return credential.clientId === clientId ? credential.secretId : undefined;
  } catch (error) {
    if (error instanceof RotationStopped) return undefined;
    throw error;
  }
}
