import { describe, expect, it } from 'vitest';
import {
  type Decision,
  decide,
  identifyCurrent,
  identifyPrevious,
  lifetimeHours,
  ORPHAN_AGE_MS,
  type Slot,
  type View,
} from '../../../functions/rotate-service-account-secret/decide.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const now = new Date('2030-06-01T00:00:00Z');
const ago = (ms: number) => new Date(now.getTime() - ms);
const ahead = (ms: number) => new Date(now.getTime() + ms);
const secretArn = 'arn:aws:secretsmanager:us-east-1:000000000000:secret:payments-abcdef';
const policy = { secretExpiresAfterHours: 720, graceHours: 24 };
const ours = lifetimeHours(policy.secretExpiresAfterHours, secretArn);

const slot = (id: string, createdAt: Date, over: Partial<Slot> = {}): Slot => ({
  id,
  createdAt,
  expiresAt: new Date(createdAt.getTime() + ours * HOUR),
  lastUsedAt: undefined,
  ...over,
});

const current = slot('current', ago(10 * DAY), { lastUsedAt: ago(HOUR) });

/** The second slot in every state it can be in, as rotation.md names them, and what it means where nothing is stored. */
const seconds: Record<string, { slot?: Slot; view?: Partial<View>; does: Partial<Decision> }> = {
  none: { does: { do: 'mint' } },
  'previous in grace': {
    slot: slot('previous', ago(20 * DAY), { expiresAt: ahead(5 * DAY) }),
    view: { promotedAt: ago(23 * HOUR), previous: { versionId: 'v0', secretId: 'previous' } },
    does: { do: 'wait', why: 'grace', until: ahead(HOUR) },
  },
  'previous over': {
    slot: slot('previous', ago(20 * DAY), { expiresAt: ahead(5 * DAY) }),
    view: { promotedAt: ago(24 * HOUR), previous: { versionId: 'v0', secretId: 'previous' } },
    does: { do: 'delete', why: 'previous', fence: 'v0' },
  },
  'previous over, used in the first hour after': {
    slot: slot('previous', ago(20 * DAY), { expiresAt: ahead(5 * DAY), lastUsedAt: ago(29 * HOUR) }),
    view: { promotedAt: ago(30 * HOUR), previous: { versionId: 'v0', secretId: 'previous' } },
    does: { do: 'delete', why: 'previous', fence: 'v0' },
  },
  'previous over, but somebody still uses it': {
    slot: slot('previous', ago(20 * DAY), { expiresAt: ahead(5 * DAY), lastUsedAt: ago(28 * HOUR) }),
    view: { promotedAt: ago(30 * HOUR), previous: { versionId: 'v0', secretId: 'previous' } },
    does: { do: 'wait', why: 'straggler', until: ahead(5 * DAY) },
  },
  'previous over its grace, but its promotion was never recorded': {
    slot: slot('previous', ago(20 * DAY), { expiresAt: ahead(5 * DAY) }),
    view: { promotedAt: ago(2 * DAY), promotionRecorded: false, previous: { versionId: 'v0', secretId: 'previous' } },
    does: { do: 'wait', why: 'grace', until: ahead(5 * DAY) },
  },
  'previous used for longer than Atlas lets a replaced one live': {
    slot: slot('previous', ago(20 * DAY), { expiresAt: ahead(50 * DAY), lastUsedAt: ago(HOUR) }),
    view: { promotedAt: ago(8 * DAY), previous: { versionId: 'v0', secretId: 'previous' } },
    does: { do: 'delete', why: 'previous', fence: 'v0' },
  },
  'newer than the current one, dropped before its promotion and used by nobody but our proof': {
    slot: slot('dropped', ago(2 * DAY), { expiresAt: ahead(88 * DAY), lastUsedAt: ago(2 * DAY - 60_000) }),
    view: { unlabelledIds: new Set(['dropped']) },
    does: { do: 'delete', why: 'unlabelled' },
  },
  'an orphan with the mark of the setting before': {
    slot: slot('orphan', ago(HOUR), { expiresAt: new Date(ago(HOUR).getTime() + 1234 * HOUR) }),
    view: { currentLifetimeHours: 1234 },
    does: { do: 'delete', why: 'orphan' },
  },
  'previous expired': {
    slot: slot('previous', ago(20 * DAY), { expiresAt: ago(1) }),
    view: { promotedAt: ago(10 * DAY), previous: { versionId: 'v0', secretId: 'previous' } },
    does: { do: 'delete', why: 'previous', fence: 'v0' },
  },
  'unlabelled, grace over': {
    slot: slot('dropped', ago(2 * DAY)),
    view: { unlabelledIds: new Set(['dropped']) },
    does: { do: 'delete', why: 'unlabelled' },
  },
  'unlabelled, in grace': {
    slot: slot('dropped', ago(HOUR)),
    view: { unlabelledIds: new Set(['dropped']), promotedAt: ago(HOUR) },
    does: { do: 'wait', why: 'grace' },
  },
  'unlabelled, too young': {
    slot: slot('dropped', ago(60_000)),
    view: { unlabelledIds: new Set(['dropped']) },
    does: { do: 'wait', why: 'young', until: new Date(ago(60_000).getTime() + ORPHAN_AGE_MS) },
  },
  'young orphan': {
    slot: slot('orphan', ago(ORPHAN_AGE_MS - 1)),
    does: { do: 'wait', why: 'young', until: ahead(1) },
  },
  'old orphan': { slot: slot('orphan', ago(ORPHAN_AGE_MS)), does: { do: 'delete', why: 'orphan' } },
  'foreign: used': { slot: slot('foreign', ago(DAY), { lastUsedAt: ago(HOUR) }), does: { do: 'refuse' } },
  'foreign: a lifetime we never ask for': {
    slot: slot('foreign', ago(DAY), { expiresAt: ahead(29 * DAY) }),
    does: { do: 'refuse' },
  },
  'foreign: older than the current one': { slot: slot('foreign', ago(11 * DAY)), does: { do: 'refuse' } },
  'foreign and expired': {
    slot: slot('foreign', ago(30 * DAY), { expiresAt: ago(DAY), lastUsedAt: ago(2 * DAY) }),
    does: { do: 'refuse' },
  },
};

const pendings = {
  absent: undefined,
  alive: slot('pending', ago(60_000)),
  expired: slot('pending', ago(31 * DAY), { expiresAt: ago(1) }),
  dead: slot('pending', ago(60_000)),
};

const viewOf = (slots: readonly Slot[], over: Partial<View> = {}): View => ({
  now,
  secretArn,
  slots,
  currentId: 'current',
  pendingId: undefined,
  previous: undefined,
  unlabelledIds: new Set(),
  promotedAt: ago(10 * DAY),
  promotionRecorded: true,
  policy,
  ...over,
});

describe('with nothing stored', () => {
  it.each(Object.entries(seconds))('and the second slot %s', (_, { slot: second, view, does }) => {
    expect(decide(viewOf([current, ...(second ? [second] : [])], view))).toMatchObject({
      ...does,
      ...(second && { slot: second }),
    });
  });

  it('mints with a lifetime below the policy’s by 1 to 23 hours, the same for the same secret', () => {
    expect(decide(viewOf([current]))).toEqual({ do: 'mint', lifetimeHours: ours });
    expect(policy.secretExpiresAfterHours - ours).toSatisfy((n: number) => n >= 1 && n <= 23);
  });

  it('mints when the current secret is gone and one slot is free, whoever holds the other', () => {
    expect(decide(viewOf([slot('foreign', ago(DAY))]))).toMatchObject({ do: 'mint' });
  });

  it('never mints while two are present, even when the current one is neither', () => {
    const both = [slot('orphan', ago(DAY)), slot('foreign', ago(DAY), { lastUsedAt: ago(1) })];
    expect(decide(viewOf(both))).toMatchObject({ do: 'delete', why: 'orphan' });
  });
});

describe('with a value stored', () => {
  const cases = Object.entries(seconds).flatMap(([name, second]) =>
    (['alive', 'expired', 'dead'] as const).map((state) => ({ name, second, state })),
  );

  it.each(cases)('that is $state, and the second slot $name', ({ second, state }) => {
    const pending = pendings[state];
    const slots = [current, ...(second.slot ? [second.slot] : []), ...(state === 'dead' ? [] : [pending])];
    // What is stored is kept while it lives and dropped when it is not: the other slot has no say.
    expect(decide(viewOf(slots, { ...second.view, pendingId: 'pending' }))).toEqual({
      do: state === 'alive' ? 'keep' : 'drop-pending',
    });
  });
});

describe('the current secret', () => {
  it('is never let die for the sake of one it replaced: whoever uses that is waited for until a day before its end', () => {
    const ending = { ...current, expiresAt: ahead(2 * DAY) };
    const previous = slot('previous', ago(20 * DAY), { expiresAt: ahead(5 * DAY), lastUsedAt: ago(HOUR) });
    const over = { promotedAt: ago(3 * DAY), previous: { versionId: 'v0', secretId: 'previous' } };
    expect(decide(viewOf([ending, previous], over))).toMatchObject({ do: 'wait', why: 'straggler', until: ahead(DAY) });
    expect(decide(viewOf([{ ...ending, expiresAt: ahead(DAY) }, previous], over))).toMatchObject({ do: 'delete' });
  });

  it('does not hurry anybody when it is gone already', () => {
    const slots = [
      slot('previous', ago(20 * DAY), { expiresAt: ahead(5 * DAY) }),
      slot('foreign', ago(DAY), { lastUsedAt: ago(1) }),
    ];
    const over = { promotedAt: ago(HOUR), previous: { versionId: 'v0', secretId: 'previous' } };
    expect(decide(viewOf(slots, over))).toMatchObject({ do: 'wait', why: 'grace' });
  });
});

describe('whatever the state', () => {
  it('the current secret is never deleted, and nothing unreferenced that was used', () => {
    for (const { slot: second, view } of Object.values(seconds)) {
      const decision = decide(viewOf([current, ...(second ? [second] : [])], view));
      if (decision.do !== 'delete') continue;
      expect(decision.slot.id).not.toBe('current');
      if (decision.why === 'orphan') expect(decision.slot.lastUsedAt).toBeUndefined();
    }
  });
});

describe('a value that does not say which secret it is', () => {
  const masked = (id: string, mask: string | undefined, createdAt = ago(DAY)) => ({ ...slot(id, createdAt), mask });

  it.each([
    ['the only one', [masked('a', 'mdb_sa_sk_...')], 'a'],
    ['the one whose mask fits', [masked('a', 'mdb_sa_sk_...x9Z_'), masked('b', 'mdb_sa_sk_...0000')], 'a'],
    ['none, when the masks say nothing', [masked('a', 'mdb_sa_sk_...'), masked('b', 'mdb_sa_sk_...')], undefined],
    ['none, when no mask fits', [masked('a', 'mdb_sa_sk_****0000')], undefined],
    ['none, when there is none', [], undefined],
  ])('is %s', (_, slots, expected) => {
    expect(identifyCurrent('mdb_sa_sk_secretx9Z_', slots)).toBe(expected);
  });

  it('is, once replaced, the one older than its successor, unless its mask says no', () => {
    const successor = masked('current', 'mdb_sa_sk_...aaaa', ago(DAY));
    expect(identifyPrevious('mdb_sa_sk_old', 'current', [masked('a', 'mdb_sa_sk_...', ago(2 * DAY)), successor])).toBe(
      'a',
    );
    expect(
      identifyPrevious('mdb_sa_sk_old', 'current', [masked('a', 'mdb_sa_sk_...new', ago(2 * DAY)), successor]),
    ).toBeUndefined();
    expect(
      identifyPrevious('mdb_sa_sk_old', 'current', [masked('a', 'mdb_sa_sk_...', ago(HOUR)), successor]),
    ).toBeUndefined();
  });
});
