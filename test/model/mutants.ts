/**
 * Protocols that look reasonable and are wrong, each planted in the real code by exact replacement. The explorer has to
 * find every one of them; one it does not find would be one it could not see in a real change either.
 */
import type { Change } from './build.ts';

export interface Mutant {
  readonly name: string;
  readonly changes: readonly Change[];
}

const inRotation = (file: string, find: string, replace: string): Change => ({
  file: `functions/rotate-service-account-secret/${file}`,
  find,
  replace,
});

const store = 'await storeUntilKnown(step, withSecret(current.credential, minted), minted, facts)';
const compensated = (condition: string): Change =>
  inRotation(
    'mint.ts',
    store,
    `${store}.catch(async (error) => { if (${condition}) await account.remove(minted.id, deadline); throw error; })`,
  );
const valueIsMissing =
  '(await step.services.secretsManager.read(event.SecretId, { versionId: event.ClientRequestToken }, deadline)) === undefined';

/** One rule taken away, or one shortcut added. */
const weakened: readonly Mutant[] = [
  {
    name: 'no fence: AWSPREVIOUS stays on what is deleted',
    changes: [inRotation('second-slot.ts', "why: 'previous', fence: previous.versionId }", "why: 'previous' }")],
  },
  {
    name: 'rolls back by the label instead of a new version',
    changes: [
      inRotation(
        'take-back.ts',
        "import { takenBackVersion } from './version-ids.ts';",
        `import { takenBackVersion } from './version-ids.ts';
         const byLabel = (secrets, from, to) => async (secretId, _, deadline) =>
           ({ outcome: 'stored', ...(await secrets.moveStage(secretId, 'AWSCURRENT', { from, to }, deadline)) });`,
      ),
      inRotation(
        'take-back.ts',
        'await services.secretsManager.store(',
        'await byLabel(services.secretsManager, dead.versionId, previous.versionId)(',
      ),
    ],
  },
  {
    name: 'no age guard: an unreferenced secret is deleted at once',
    changes: [inRotation('second-slot.ts', 'ORPHAN_AGE_MS = 20 * 60_000', 'ORPHAN_AGE_MS = 0')],
  },
  {
    name: 'an age guard shorter than a run and its requests',
    changes: [inRotation('second-slot.ts', 'ORPHAN_AGE_MS = 20 * 60_000', 'ORPHAN_AGE_MS = 60_000')],
  },
  {
    name: 'deletes its own mint when a store fails and nothing is stored',
    changes: [compensated(valueIsMissing)],
  },
  { name: 'deletes its own mint when a store fails', changes: [compensated('error')] },
  {
    name: 'no reconciler: the sweep does nothing',
    changes: [
      inRotation(
        'sweep.ts',
        'export async function sweepSecret(sweep: SweepStep): Promise<Swept> {',
        `export async function sweepSecret(sweep: SweepStep): Promise<Swept> {
           if (sweep) return { managedSecret: sweep.managedSecret, state: 'in order' };`,
      ),
    ],
  },
  {
    name: 'counts valid secrets instead of present ones',
    changes: [
      inRotation(
        'decide.ts',
        'if (slots.length < 2) return',
        'if (slots.filter((s) => alive(s, now)).length < 2) return',
      ),
    ],
  },
  {
    name: 'mints again after a lost answer',
    changes: [
      {
        file: 'lib/atlas/client.ts',
        find: "const known = op.repeat === 'safe' || !answer.sent;",
        replace: 'const known = true;',
      },
    ],
  },
  {
    name: 'promotes what nobody has called Atlas with',
    changes: [
      inRotation(
        'steps.ts',
        "if (event.Step === 'testSecret') return requirePromotable(",
        "if (event.Step === 'testSecret') return; if (!step) return requirePromotable(",
      ),
      inRotation('finish-secret.ts', 'if (!proven) await requirePromotable(', 'if (!step) await requirePromotable('),
    ],
  },
  {
    name: 'what follows a promotion is not taken up again',
    changes: [
      inRotation(
        'steps.ts',
        'await (isCurrent ? confirm(step, rotation) : carryOut(step, rotation));',
        'if (!isCurrent) await carryOut(step, rotation);',
      ),
      inRotation('sweep.ts', 'await isUnconfirmed(sweep, secret, seen.now)', 'false'),
    ],
  },
  {
    name: 'drops a value whose credentials are refused once',
    changes: [
      inRotation(
        'pending.ts',
        'if (isRefused(error)) return true;',
        'if (isRefused(error)) return dropPending(step, rotation);',
      ),
    ],
  },
  {
    name: 'does not look at the labels again before it deletes',
    changes: [inRotation('remove.ts', 'await requireUnchanged(step, rotation, fence);', '')],
  },
  {
    name: 'no grace',
    changes: [inRotation('second-slot.ts', 'if (grace) return grace;', '')],
  },
  {
    name: 'a dry run that writes',
    changes: [inRotation('sweep.ts', 'if (dryRun) return { ...swept, state: would };', '')],
  },
  {
    name: 'a secret in the log',
    changes: [
      inRotation(
        'mint.ts',
        "log.info('minted and stored a new secret', { facts: { ...facts, secretId: minted.id,",
        "log.info('minted and stored a new secret', { facts: { ...facts, secretId: minted.secret,",
      ),
    ],
  },
];

/** How others rotate, or did. */
const naive: readonly Mutant[] = [
  {
    name: 'A: never lists, mints whenever nothing is stored',
    changes: [
      inRotation(
        'decide.ts',
        "if (!slots) return { do: 'look', at: 'account' };",
        `if (pending?.state === 'empty')
           return decideMint({ secretsManager, slots: [], maxLifetimeHours: null, now, policy });
         if (!slots) return { do: 'look', at: 'account' };`,
      ),
    ],
  },
  {
    name: 'B: compensates blindly, and retires the old secret as it finishes',
    changes: [
      compensated('error'),
      inRotation(
        'finish-secret.ts',
        'const moved = await promote(step, rotation);',
        `const moved = await promote(step, rotation);
         await rotation.account.remove(rotation.current.credential.secretId ?? '', step.deadline);`,
      ),
    ],
  },
  {
    name: 'C: deletes whatever is not current',
    changes: [
      inRotation(
        'second-slot.ts',
        "if (!secretsManager.promotion) return { do: 'look', at: 'versions' };",
        "if (slot) return { do: 'delete', slot, why: 'orphan' };",
      ),
    ],
  },
];

export const MUTANTS: readonly Mutant[] = [...weakened, ...naive];
