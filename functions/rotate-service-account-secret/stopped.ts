import type { Alert, Wait } from './decide.ts';
import { RotationStopped } from './errors.ts';
import type { View } from './look.ts';
import type { Rotation } from './rotation.ts';

const HOUR_MS = 3_600_000;

/** Why nothing can be done now, as the error that says so. */
export function stopped(decision: Wait | Alert, { now }: View, { secret, account }: Rotation): RotationStopped {
  if (decision.do === 'alert' && decision.why !== 'foreign') return refused(decision, { secret, account });
  const { slot } = decision;
  const ageHours = Math.floor((now.getTime() - slot.createdAt.getTime()) / HOUR_MS);
  const facts = { secretId: slot.id, ageHours, expiresAt: slot.expiresAt, lastUsedAt: slot.lastUsedAt };
  if (decision.do === 'alert') {
    return new RotationStopped(
      'ROTATION_FOREIGN_SECRET',
      `secret ${slot.id}, ${ageHours} hours old, holds the account's second slot and is not ours: nothing was changed; delete it in Atlas if nobody needs it`,
      facts,
    );
  }
  const until = decision.until.toISOString();
  const { waitingFor = [] } = decision;
  const followers = waitingFor.length > 0 ? `; the new value is still missing from ${waitingFor.join(', ')}` : '';
  const why = {
    grace: 'is the replaced one, in its grace',
    straggler: `is the replaced one, and somebody used it more than an hour after the promotion${followers}`,
    followers: `is the replaced one${followers}`,
    young: 'may be on its way into storage',
  }[decision.why];
  return new RotationStopped(
    'ROTATION_MUST_WAIT',
    `secret ${slot.id} holds the account's second slot until ${until}: it ${why}`,
    { ...facts, until, why: decision.why, ...(waitingFor.length > 0 && { waitingFor }) },
  );
}

function refused(
  alert: Exclude<Alert, { readonly why: 'foreign' }>,
  { secret, account }: Pick<Rotation, 'secret' | 'account'>,
): RotationStopped {
  const facts = { managedSecret: secret.arn, clientId: account.clientId };
  switch (alert.why) {
    case 'lifetime': {
      const { hours, maxHours, neededHours } = alert;
      const limit = maxHours === undefined ? '' : ` (the organization allows ${maxHours})`;
      return new RotationStopped(
        'ROTATION_LIFETIME_TOO_SHORT',
        `a secret of ${hours} hours${limit} would end before the next rotation of ${secret.name} is done: that takes ${neededHours} hours`,
        { ...facts, hours, maxHours, neededHours, rotatesEveryHours: secret.rotatesEveryHours },
      );
    }
    case 'no current':
      return new RotationStopped('ROTATION_SECRET_UNUSABLE', `${secret.name} has no AWSCURRENT value`, facts);
    case 'rotation off':
      return new RotationStopped('ROTATION_SECRET_UNUSABLE', `${secret.name} has no rotation enabled`, facts);
    case 'current unknown':
      return new RotationStopped(
        'ROTATION_CURRENT_UNKNOWN',
        `${secret.name} does not say which of the account's secrets it holds, and what Atlas shows of them does not tell: add its secretId to the value`,
        facts,
      );
  }
}
